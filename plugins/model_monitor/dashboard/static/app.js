// Draws the page's figures, and leads links to Airflow's own pages out of Airflow's frame.
"use strict";

(() => {
  const CONFIG = {displayModeBar: false, responsive: true, doubleClick: "reset", showTips: false};
  const touch = matchMedia("(pointer: coarse)");
  const shared = {};
  for (const list of document.querySelectorAll("script[data-shared]")) {
    shared[list.dataset.shared] = JSON.parse(list.textContent);
  }

  // Colours and fonts are named by CSS variables, long lists by what several figures share.
  function resolved(value, key, style) {
    if (typeof value === "string") {
      const name = /^var\((--[a-z]+)\)$/.exec(value);
      return name && (key === "family" || key.endsWith("color")) ? style.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) {
      return value.length && typeof value[0] === "object" ? value.map(one => resolved(one, key, style)) : value;
    }
    if (value === null || typeof value !== "object") return value;
    if (key === "x" && typeof value.shared === "string") return shared[value.shared];
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolved(one, name, style)]));
  }

  async function draw(plot) {
    const figure = JSON.parse(document.getElementById(`figure-${plot.dataset.plot}`).textContent);
    const style = getComputedStyle(document.documentElement);
    const layout = resolved(figure.layout, "layout", style);
    if (touch.matches) layout.dragmode = false;
    await Plotly.react(plot, resolved(figure.data, "data", style), layout, {...CONFIG, ...figure.config});
    plot.dataset.drawn = "true";
  }

  const waiting = [];
  let drawing = false;

  async function drawAll(plots) {
    waiting.push(...plots);
    if (drawing) return;
    drawing = true;
    while (waiting.length) {
      await draw(waiting.shift());
      await new Promise(resolve => setTimeout(resolve));
    }
    drawing = false;
  }

  for (const plot of document.querySelectorAll("[data-height]")) plot.style.height = `${plot.dataset.height}px`;
  drawAll(document.querySelectorAll(".plot"));
  document.addEventListener("theme", () => drawAll(document.querySelectorAll('.plot[data-drawn="true"]')));

  for (const fold of document.querySelectorAll("details")) {
    fold.addEventListener("toggle", () => {
      const plots = fold.open ? [...fold.querySelectorAll(".plot-later")] : [];
      for (const plot of plots) plot.className = "plot";
      drawAll(plots);
    });
  }

  // A frame whose content has the focus matches no :focus of this page.
  for (const frame of document.querySelectorAll("iframe")) {
    addEventListener("blur", () => setTimeout(() => {
      frame.classList.toggle("focused", document.activeElement === frame);
    }));
    addEventListener("focus", () => frame.classList.remove("focused"));
  }

  // The frame's sandbox lets nothing inside it move the whole window; a link of the outer page may.
  document.addEventListener("click", event => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || parent === window || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const outer = parent.document.createElement("a");
    outer.href = link.href;
    parent.document.body.append(outer);
    outer.click();
    outer.remove();
  });
})();

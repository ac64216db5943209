// Light or dark, as Airflow's UI has it; loaded before the page is painted.
"use strict";

(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      if (parent !== window) {
        const classes = parent.document.documentElement.classList;
        if (classes.contains("dark")) return "dark";
        if (classes.contains("light")) return "light";
      }
      const stored = localStorage.getItem("theme");
      if (stored === "dark" || stored === "light") return stored;
    } catch (refused) {
      // Another site's frame, or no storage: the system's choice will do.
    }
    return system.matches ? "dark" : "light";
  }

  function apply() {
    const theme = chosen();
    if (document.documentElement.dataset.theme === theme) return;
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new Event("theme"));
  }

  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  try {
    if (parent !== window) {
      new MutationObserver(apply).observe(parent.document.documentElement, {attributeFilter: ["class"]});
    }
  } catch (refused) {
    // Another site's frame tells nothing of its theme.
  }
})();

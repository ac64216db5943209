"""How a page looks, measured: contrast, what sticks out of the window, where the focus is seen."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Frame, Page

# WCAG 2.2, success criterion 1.4.3: 4.5 for text, 3 for large text (24 px, or 18.66 px and bold).
FAINT = """() => {
    const parse = text => {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 1;
        const pen = canvas.getContext("2d", {willReadFrequently: true});
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = text;
        pen.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const luminance = colour => {
        const [r, g, b] = colour.slice(0, 3).map(value => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            if (at instanceof SVGElement && !(at instanceof SVGSVGElement)) continue;
            layers.push(parse(getComputedStyle(at).backgroundColor));
        }
        const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
        return layers.reverse().reduce((below, top) => over(top, below), dark ? [18, 18, 18, 1] : [255, 255, 255, 1]);
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || element.closest("script, style, noscript, template")) continue;
        if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
        const box = element.getBoundingClientRect();
        if (box.width < 2 || box.height < 2) continue;
        const style = getComputedStyle(element);
        const ground = behind(element);
        const ink = over(parse(element instanceof SVGElement ? style.fill : style.color), ground);
        const [bright, faint] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
        const ratio = (bright + 0.05) / (faint + 0.05);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
        if (ratio < (large ? 3 : 4.5))
            found.push(`${ratio.toFixed(2)} ${element.tagName.toLowerCase()}.${element.getAttribute("class")} `
                + `"${walker.currentNode.textContent.trim().slice(0, 40)}"`);
    }
    return [...new Set(found)];
}"""
STICKING_OUT = """() => {
    const wide = document.documentElement.clientWidth;
    const found = [];
    const whole = document.documentElement.scrollWidth;
    if (whole > wide) found.push(`the page is ${whole} wide`);
    const scrolls = element => {
        for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
            if (["auto", "scroll"].includes(getComputedStyle(at).overflowX)) return true;
        return false;
    };
    for (const element of document.body.querySelectorAll("*")) {
        if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
        const style = getComputedStyle(element), box = element.getBoundingClientRect();
        if (box.width < 2 || box.height < 2 || style.position === "absolute" && style.clip !== "auto") continue;
        const label = `${element.tagName.toLowerCase()}.${element.getAttribute("class")} `
            + `"${(element.textContent || "").trim().slice(0, 40)}"`;
        const svg = element.closest("svg");
        if (element.tagName === "text" && svg) {
            const frame = element.closest(".plot")?.getBoundingClientRect();
            if (frame && (box.left < frame.left - 1 || box.right > frame.right + 1
                || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)) found.push(`cut off: ${label}`);
        }
        if (svg) continue;
        const outside = box.right > wide + 1 || (box.left < -1 && box.right > 0);
        if (outside && !scrolls(element)) found.push(`outside: ${label}`);
        const hides = ["hidden", "clip"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
        if (hides && !element.title && !element.closest(".plot")) found.push(`hidden: ${label}`);
    }
    return [...new Set(found)];
}"""
FOCUS = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const style = getComputedStyle(element);
    const seen = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    const box = element.getBoundingClientRect();
    element.dataset.reached = "true";
    const said = element.getAttribute("aria-label") || element.textContent || "";
    return {
        name: `${element.tagName.toLowerCase()} "${said.trim().slice(0, 40)}"`,
        seen, inside: box.bottom > 0 && box.top < innerHeight,
    };
}"""
UNREACHED = """() => [...document.querySelectorAll("a[href], button, select, input, summary")]
    .filter(element => element.checkVisibility() && !element.disabled && element.tabIndex >= 0
        && !element.dataset.reached && element.type !== "hidden" && !element.closest(".modebar"))
    .filter(element => element.type !== "radio" || element.checked)
    .map(element => `${element.tagName.toLowerCase()} "${element.textContent.trim().slice(0, 40)}"`)"""


FRAMES_MILLISECONDS = 500


def faint(page: Page | Frame) -> list[str]:
    """Texts whose contrast with what is behind them is not sufficient."""
    found: list[str] = page.evaluate(FAINT)
    return found


def sticking_out(page: Page | Frame) -> list[str]:
    """What is wider than the window, outside of it or cut off; what scrolls in a box of its own is not."""
    found: list[str] = page.evaluate(STICKING_OUT)
    return found


def tab_through(page: Page, most: int = 400) -> tuple[list[dict[str, Any]], list[str]]:
    """Press Tab until all was focused; returns what was, and which links and controls were not."""
    page.locator("body").click(position={"x": 1, "y": 1})
    found: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUS)
        if focused is None:
            break
        if not focused["seen"]:
            # A frame of another origin is another process, which has to tell that it has the focus.
            page.wait_for_timeout(FRAMES_MILLISECONDS)
            focused = page.evaluate(FOCUS)
        found.append(focused)
    return found, page.evaluate(UNREACHED)

// What is wider than its place can be reached by the keyboard; nothing else needs a stop.
const wide = "pre, .table-wrapper, .table, div.math, .formula, .sig";
const watched = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
document.querySelectorAll(wide).forEach((part) => watched.observe(part));

// The theme has two asides; a screen reader lists them by name.
const names = { ".sidebar-drawer": "Pages", ".toc-drawer": "Contents of this page" };
for (const [place, name] of Object.entries(names)) {
  document.querySelector(place)?.setAttribute("aria-label", name);
}

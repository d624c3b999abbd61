const root = document.documentElement;

// Light, dark, or as the system has it; remembered where the browser allows it.
const theme = document.querySelector("#_theme select");
theme.value = root.dataset.theme ?? "auto";
theme.addEventListener("change", () => {
  root.dataset.theme = theme.value;
  try {
    localStorage.setItem("theme", theme.value);
  } catch {
    // for this page alone, then
  }
});
document.getElementById("_theme").hidden = false;

// What is wider than its place can be reached by the keyboard; nothing else needs a stop.
const wide = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls = target.scrollWidth > target.clientWidth + 1;
    if (scrolls) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
const watch = (part) => part.querySelectorAll(".formula, .table").forEach((one) => wide.observe(one));
watch(document);

// #Adam and #adam/bound lead to their place whatever the case, and from the index on to the term.
function follow() {
  let wanted = location.hash.slice(1);
  try {
    wanted = decodeURIComponent(wanted);
  } catch {
    // as it stands
  }
  wanted = wanted.trim().toLowerCase().replace(/[\s_]+/g, "-");
  if (!wanted || wanted.startsWith("-")) return;
  const [term] = wanted.split("/");
  const entry = document.getElementById("_terms") && document.getElementById(term);
  if (entry) location.replace(entry.querySelector("a").href + (term === wanted ? "" : "#" + wanted));
  const place = entry ? null : document.getElementById(wanted);
  place?.scrollIntoView();
  // Once more when what is around it has been laid out, and has its true height.
  setTimeout(() => place?.scrollIntoView(), 100);
}
addEventListener("hashchange", follow);
follow();

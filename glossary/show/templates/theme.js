// Before anything is drawn: the theme that was chosen here before.
try {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "auto";
} catch {
  // a browser that keeps nothing
}

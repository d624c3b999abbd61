"use strict";

const byId = (id) => document.getElementById(id);
const DATA = JSON.parse(byId("_data").textContent);

// The folding of glossary/_fold.py, which also gives the tables in DATA.fold.
const CASES = { "ß": "ss", "ẞ": "ss", "ς": "σ" };
const BRITISH = DATA.fold.british.map(([pattern, american]) => [new RegExp(pattern, "u"), american]);
const IRREGULAR = new Map(DATA.fold.irregular);

function words(text) {
  const bare = text.normalize("NFKD").replace(/\p{M}/gu, "");
  const lower = Array.from(bare, (c) => CASES[c] || c.toLowerCase()).join("");
  const found = lower.replace(/['\u2019](?:s(?![\p{L}\p{N}_]))?/gu, "").match(/[\p{L}\p{N}]+/gu) || [];
  return found.map((word) => BRITISH.reduce((w, [pattern, american]) => w.replace(pattern, american), word));
}

function singular(word) {
  const ends = (...endings) => endings.some((ending) => word.endsWith(ending));
  const length = Array.from(word).length;
  if (IRREGULAR.has(word)) return IRREGULAR.get(word);
  if (ends("ies") && length > 4) return word.slice(0, -3) + "y";
  if (ends("sses", "xes", "ches", "shes")) return word.slice(0, -2);
  if (length > 2 && ends("s") && !ends("ss", "us", "is")) return word.slice(0, -1);
  return word;
}

const key = (text) => words(text).map(singular).join("");

// Filter: a name that starts as the question does, or a word for each word of it.
function matching(text) {
  const asked = words(text).map(singular);
  const name = asked.join("");
  return DATA.terms.filter(
    (term) =>
      term.keys.some((known) => known.startsWith(name)) ||
      asked.every((word) => word.length > 1 && term.words.some((known) => known.startsWith(word)))
  );
}

// While a word is typed its end may fit nothing yet ("optimis"): try without it.
function loosely(text) {
  let found = matching(text);
  for (let cut = 1; cut <= 3 && !found.length && text.length - cut >= 3; cut++) {
    found = matching(text.slice(0, -cut));
  }
  return found;
}

function filter() {
  const text = byId("_filter").value.trim();
  const found = loosely(text);
  const shown = new Set(found.map((term) => term.id));
  for (const term of DATA.terms) {
    byId(term.id).hidden = byId("_list-" + term.id).hidden = !shown.has(term.id);
  }
  const all = DATA.terms.length;
  byId("_count").textContent =
    found.length === all ? `${all} terms` : found.length ? `${found.length} of ${all} terms` : "No term matches.";
  return found;
}

byId("_filter").addEventListener("input", filter);
byId("_filter").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing) {
    const [first] = filter();
    if (first) location.hash = first.id;
  }
});
byId("_search").hidden = false;
filter();

// A link may lead to a term that the filter hides.
function reveal() {
  let target = null;
  try {
    target = byId(decodeURIComponent(location.hash.slice(1))) || byId(location.hash.slice(1));
  } catch {
    // no such place
  }
  if (target && target.closest("[hidden]")) {
    byId("_filter").value = "";
    filter();
    target.scrollIntoView();
  }
}
addEventListener("hashchange", reveal);

// Light or dark: as the system says, until somebody presses the button.
const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
function nameTheme() {
  byId("_theme").textContent = isDark() ? "Light theme" : "Dark theme";
}
byId("_theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
system.addEventListener("change", nameTheme);
byId("_theme").hidden = false;
nameTheme();

// Running claims, where `glossary serve` shows the page.
async function ask(path, body) {
  const headers = { "X-Glossary-Token": DATA.token, "Content-Type": "application/json" };
  const answer = await fetch(path, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

async function run(button) {
  const id = button.dataset.claim;
  const say = button.parentElement.querySelector("[role=status]");
  const bar = button.parentElement.querySelector("progress");
  const buttons = (disabled) => document.querySelectorAll("button[data-claim]").forEach((b) => (b.disabled = disabled));
  buttons(true);
  bar.hidden = false;
  bar.removeAttribute("value");
  say.textContent = "Starting.";
  try {
    let told = await ask("run", { claim: id, size: button.dataset.size });
    while (told.state === "running") {
      await new Promise((resolve) => setTimeout(resolve, 250));
      told = await ask("progress");
      if (told.of) {
        bar.max = told.of;
        bar.value = told.done;
        say.textContent = `Seed ${Math.min(told.done + 1, told.of)} of ${told.of}.`;
      }
    }
    if (told.state === "failed") throw new Error(told.error);
    const claim = byId(id);
    claim.outerHTML = told.html; // escaped by the server, as the page was
    const again = byId(id).querySelector(`button[data-size="${button.dataset.size}"]`);
    again.parentElement.querySelector("[role=status]").textContent = `Measured just now: ${told.verdict}.`;
    again.focus();
  } catch (error) {
    say.textContent = error instanceof TypeError ? "The server does not answer; is `glossary serve` still running?" : error.message;
    bar.hidden = true;
  } finally {
    buttons(false);
  }
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-claim]");
  if (button) run(button);
});

const question = document.getElementById("_question");
const answers = document.getElementById("_answers");
const mentions = document.getElementById("_mentions");
const all = document.getElementById("_terms");
const count = document.getElementById("_count");

function entry({ id }) {
  const shown = document.getElementById(id).cloneNode(true);
  shown.removeAttribute("id");
  return shown;
}

function answer() {
  const text = question.value.trim();
  const found = text ? searchTerms(text, 10) : [];
  const sure = found.filter((match) => match.score >= searchTerms.threshold);
  const told = sure.length ? [] : found;
  answers.replaceChildren(...sure.map(entry));
  mentions.querySelector("ol").replaceChildren(...told.map(entry));
  mentions.hidden = !told.length;
  all.hidden = Boolean(text);
  const terms = sure.length === 1 ? "1 term" : `${sure.length} terms`;
  count.textContent = !text ? "" : sure.length ? terms : told.length ? "" : "Not in this glossary.";
}

question.addEventListener("input", answer);
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  answer();
  document.querySelector("#_answers a, #_mentions a")?.click();
});
// Without its script beside it, a copied index does not offer to search.
if (typeof searchTerms === "function") {
  document.getElementById("_search").className = "ready";
  answer(); // a browser that goes back fills the field by itself
}

const THRESHOLD = 0.5; // from this score on, an answer is what was asked for
const question = document.getElementById("_question");
const answers = document.getElementById("_answers");
const mentions = document.getElementById("_mentions");
const all = document.getElementById("_terms");
const count = document.getElementById("_count");
const search = createSearch(JSON.parse(document.getElementById("_index").textContent));

function entry({ id, reason }) {
  const shown = document.getElementById(encodeURIComponent(id)).cloneNode(true);
  shown.removeAttribute("id");
  const why = document.createElement("small");
  why.textContent = reason;
  shown.append(" ", why);
  return shown;
}

function answer() {
  const text = question.value.trim();
  const found = text ? search(text, 10) : [];
  const sure = found.filter((match) => match.score >= THRESHOLD);
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
document.getElementById("_search").hidden = false;
answer(); // a browser that goes back fills the field by itself

// Running claims, where `glossary serve` shows the page. The answer comes line by line as the
// claim is measured; to break it off is to stop the run.
async function run(button) {
  const { claim, size } = button.dataset;
  const runner = button.parentElement;
  const say = runner.querySelector("[role=status]");
  const bar = runner.querySelector("progress");
  const stop = runner.querySelector("[data-stop]");
  const stopping = new AbortController();
  const busy = (on) => {
    document.querySelectorAll("button[data-claim]").forEach((one) => (one.disabled = on));
    bar.hidden = stop.hidden = !on;
  };
  stop.onclick = () => stopping.abort();
  busy(true);
  bar.removeAttribute("value");
  say.textContent = "Starting.";
  stop.focus();
  let result;
  try {
    const answer = await fetch("run", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Glossary-Token": document.body.dataset.token },
      body: JSON.stringify({ claim, size }),
      signal: stopping.signal,
    });
    if (!answer.ok) throw new Error((await answer.json()).error);
    for await (const told of lines(answer.body)) {
      if (told.error) throw new Error(told.error);
      if (told.html) result = told;
      else {
        bar.max = told.of;
        bar.value = told.done;
        say.textContent = `Seed ${Math.min(told.done + 1, told.of)} of ${told.of}.`;
      }
    }
    if (!result) throw new Error("The run ended without a result.");
  } catch (error) {
    if (error.name === "AbortError") say.textContent = "Stopped.";
    else if (error instanceof TypeError) say.textContent = "The server does not answer; is `glossary serve` still running?";
    else say.textContent = error.message;
  }
  busy(false);
  let again = button;
  if (result) {
    const old = document.getElementById(claim);
    old.outerHTML = result.html; // escaped by the server, as the page was
    const fresh = document.getElementById(old.id);
    watch(fresh);
    fresh.querySelector("[role=status]").textContent = `Measured just now: ${result.verdict}.`;
    again = fresh.querySelector(`button[data-size="${size}"]`);
  }
  again.focus();
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const whole = (rest + piece.value).split("\n");
    rest = whole.pop();
    yield* whole.filter(Boolean).map(JSON.parse);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-claim]");
  if (button) run(button);
});

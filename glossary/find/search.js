// The engine of search.py, for a page: the same features, weights and tables.
//
// A test asks both the same questions. Whatever is a rule or a number comes with the
// index that search.py writes; here is only how they are put together.
"use strict";

function createSearch(index) {
  const british = index.british.map(([pattern, into]) => [new RegExp(pattern, "u"), into]);
  const stopWords = new Set(index.stop_words);
  const withPair = new Map();
  index.vocabulary.forEach((word, number) => {
    for (const pair of pairs(word)) {
      if (!withPair.has(pair)) withPair.set(pair, []);
      withPair.get(pair).push(number);
    }
  });

  // ---- fold.py

  function tokens(text) {
    const plain = text
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .replace(/ß/g, "ss")
      .replace(/['\u2019](?:s(?![\p{L}\p{N}_]))?/gu, "");
    return plain.match(/[\p{L}\p{N}]+/gu) || [];
  }

  function fold(word) {
    for (const [pattern, into] of british) word = word.replace(pattern, into);
    return word;
  }

  function singular(word) {
    if (Object.hasOwn(index.irregular, word)) return index.irregular[word];
    if (word.endsWith("ies") && word.length > 4) return word.slice(0, -3) + "y";
    if (/(sses|xes|ches|shes)$/.test(word)) return word.slice(0, -2);
    const plural = word.length > 2 && word.endsWith("s") && !/(ss|us|is)$/.test(word);
    return plural ? word.slice(0, -1) : word;
  }

  function stem(word) {
    word = singular(word);
    for (const ending of index.endings) {
      if (word.endsWith(ending) && word.length - ending.length >= index.shortest_stem) {
        return stem(undouble(word.slice(0, -ending.length)));
      }
    }
    const long = word.length >= index.shortest_stem;
    return long && word.endsWith("e") ? word.slice(0, -1) : word;
  }

  function undouble(word) {
    const last = word.at(-1);
    const doubled = last === word.at(-2) && !"aeiouls".includes(last);
    return doubled ? word.slice(0, -1) : word;
  }

  // ---- spelling.py

  function pairs(word) {
    const edged = `^${word}$`;
    const found = new Set();
    for (let i = 0; i + 1 < edged.length; i++) found.add(edged.slice(i, i + 2));
    return found;
  }

  function distance(a, b) {
    let before = [];
    let above = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
      const row = [i];
      for (let j = 1; j <= b.length; j++) {
        const changed = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
        let cost = Math.min(above[j] + 1, row[j - 1] + 1, changed);
        const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
        if (swapped) cost = Math.min(cost, before[j - 2] + 1);
        row.push(cost);
      }
      before = above;
      above = row;
    }
    return above.at(-1);
  }

  function allowed(word) {
    if (word.length < 4) return 0;
    if (word.length < 7) return 1;
    return word.length < 12 ? 2 : 3;
  }

  function likeness(word, other) {
    const digits = (text) => text.replace(/\P{Nd}/gu, "");
    if (digits(word) !== digits(other)) return 0;
    const shorter = word.length <= other.length ? word : other;
    const longest = Math.max(word.length, other.length);
    const most = allowed(shorter);
    if (longest - shorter.length > most) return 0;
    const slips = distance(word, other);
    return slips <= most ? 1 - slips / longest : 0;
  }

  function close(word) {
    if (!allowed(word) || word.length > index.longest_word) return [];
    const shared = new Map();
    const own = pairs(word);
    for (const pair of own) {
      for (const number of withPair.get(pair) || []) {
        shared.set(number, (shared.get(number) || 0) + 1);
      }
    }
    const ranked = [...shared].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const least = Math.max(1, own.size - 3 * allowed(word));
    const near = [];
    for (const [number, count] of ranked.slice(0, index.shortlist)) {
      const other = index.vocabulary[number];
      const alike = count >= least ? likeness(word, other) : 0;
      if (alike) near.push([other, alike]);
    }
    return near.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }

  function meant(word) {
    const near = close(word);
    if (near.length) return near[0];
    const longer = index.vocabulary.find((other) => other >= word) || "";
    if (word.length < index.shortest_prefix || !longer.startsWith(word)) return null;
    return [longer, 0.5 + (0.5 * word.length) / longer.length];
  }

  // ---- search.py

  const own = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);
  const labelsAt = (key) => own(index.labels, key) || [];
  const namedAt = (key) => labelsAt(key).filter(([, kind]) => kind !== "see");
  const isName = (key) => labelsAt(key).some(([, kind]) => kind !== "misspelling");
  const fieldsOf = (word) => own(index.fields, stem(word)) || {};

  function isKnown(word) {
    const stands = Object.hasOwn(index.fields, stem(word));
    return stands || isName(word) || isName(singular(word));
  }

  function labelOf(span) {
    for (const way of [(word) => word, singular]) {
      const found = namedAt(span.map(way).join(""));
      if (found.length) return found;
    }
    return own(index.by_stems, span.map(stem).join("")) || [];
  }

  function labelsIn(folded) {
    const held = new Map();
    const taken = new Set();
    const longest = Math.min(index.longest_label, folded.length);
    for (let length = longest; length > 0; length--) {
      for (let start = 0; start + length <= folded.length; start++) {
        const places = Array.from({ length }, (_, i) => start + i);
        if (places.some((place) => taken.has(place))) continue;
        for (const label of labelOf(folded.slice(start, start + length))) {
          if (!held.has(label[0])) held.set(label[0], { labels: [], places: new Set() });
          held.get(label[0]).labels.push(label);
          for (const place of places) {
            held.get(label[0]).places.add(place);
            taken.add(place);
          }
        }
      }
    }
    return held;
  }

  function read(question) {
    const written = tokens(question).slice(0, index.longest_question);
    let telling = written.map((token) => !stopWords.has(token));
    if (!telling.includes(true)) telling = written.map(() => true);
    const folded = written.map(fold);
    const trust = written.map(() => 1);
    folded.forEach((word, place) => {
      if (!telling[place] || isKnown(word)) return;
      const found = meant(singular(word));
      if (found) [folded[place], trust[place]] = found;
    });
    const held = labelsIn(folded);
    const taken = new Set();
    for (const one of held.values()) one.places.forEach((at) => taken.add(at));
    for (let at = 0; at + 1 < folded.length; at++) {
      const second = singular(folded[at + 1]);
      const context = index.contexts.some(([a, b]) => a === folded[at] && b === second);
      const others = telling.some((tells, place) => tells && place !== at && place !== at + 1);
      if (context && others && !taken.has(at)) telling[at] = telling[at + 1] = false;
    }
    const words = [];
    folded.forEach((word, place) => {
      if (!telling[place]) return;
      const fields = fieldsOf(word);
      const count = Object.keys(fields).length;
      const rarity = Math.log((index.terms.length + 1) / (count + 0.5));
      words.push({ place, told: written[place], word, rarity, trust: trust[place], fields });
    });
    const total = words.reduce((sum, word) => sum + word.rarity, 0);
    return { words, held, total };
  }

  function features(question, number) {
    const held = question.held.get(number) || { labels: [], places: new Set() };
    const total = question.total || 1;
    const found = { bias: 1, label: 0, named: 0, unknown: 0, slips: 0 };
    const taken = new Set();
    for (const one of question.held.values()) one.places.forEach((at) => taken.add(at));
    for (const name of index.field_names) found[name] = 0;
    let missing = 0;
    let matched = 0;
    for (const word of question.words) {
      const share = word.rarity / total;
      const field = word.fields[number];
      const inLabel = held.places.has(word.place);
      if (inLabel || field !== undefined) {
        matched += 1;
        found.slips += word.trust < 1 ? share : 0;
      } else {
        missing += share;
      }
      if (held.labels.length && taken.has(word.place)) found.named += share;
      if (inLabel) found.label += share;
      else if (field !== undefined) found[index.field_names[field]] += share * word.trust;
      else if (!Object.keys(word.fields).length) found.unknown += share;
    }
    const starts = [...question.held.values()].map((one) => Math.min(...one.places));
    const first = starts.length ? Math.min(...starts) : -1;
    found.squared = found.label ** 2;
    found.part = held.labels.length ? 0 : part(question, number);
    found.first = held.places.has(first) ? 1 : 0;
    found.words = Math.min(matched, index.many_words) / index.many_words;
    found.short = question.words.length <= index.short_question ? missing : 0;
    return found;
  }

  function part(question, number) {
    const stems = new Set(question.words.map((word) => stem(word.word)));
    let most = 0;
    for (const label of index.label_stems[number]) {
      const held = label.filter((one) => stems.has(one)).length;
      if (label.length) most = Math.max(most, held / label.length);
    }
    return most;
  }

  // Answers to a question that is a label, as written or but for a slip.
  function whole(text) {
    const written = tokens(text);
    const telling = written.filter((token) => !stopWords.has(token));
    const content = telling.length ? telling : written;
    for (const words of [written, content]) {
      for (const way of [(word) => word, singular]) {
        const labels = labelsAt(words.map((word) => way(fold(word))).join(""));
        if (labels.length) return labels.map(([number, kind]) => [number, index.whole[kind]]);
      }
    }
    if (content.every((word) => isKnown(fold(word)))) return [];
    const near = close(content.map((word) => singular(fold(word))).join(""))[0];
    if (!near) return [];
    const score = index.least + near[1] * (index.highest - index.least);
    return namedAt(near[0]).map(([number]) => [number, score]);
  }

  function search(text, limit) {
    const question = read(text);
    const candidates = new Set(question.held.keys());
    for (const word of question.words) {
      for (const number of Object.keys(word.fields)) candidates.add(Number(number));
    }
    const worths = [...candidates].map((number) => {
      const counted = features(question, number);
      let worth = 0;
      for (const name of Object.keys(index.weights)) {
        worth += index.weights[name] * counted[name];
      }
      return [number, worth];
    });
    const highest = Math.max(...worths.map(([, worth]) => worth));
    const powers = worths.map(([number, worth]) => [number, Math.exp(worth - highest)]);
    const total = powers.reduce((sum, [, power]) => sum + power, 0);
    const covered = total / (total + Math.exp(-highest));
    const answers = whole(text);
    const onlySeen = answers.length > 0 && answers[0][1] === index.whole.see;
    const most = onlySeen ? index.whole.see : index.highest;
    const scores = new Map();
    for (const [number, power] of powers) scores.set(number, most * covered * power);
    for (const [number, score] of answers) {
      scores.set(number, Math.max(scores.get(number) || 0, score));
    }
    return [...scores]
      .sort((a, b) => b[1] - a[1] || a[0] - b[0])
      .slice(0, limit)
      .map(([number, score]) => ({ ...index.terms[number], score }));
  }
  search.threshold = index.this_is_it;
  return search;
}

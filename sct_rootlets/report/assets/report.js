"use strict";
// Sorts, filters, steps and marks. It reads what the page holds and asks nothing of a network;
// every text is set as text, never as HTML.
(() => {
  const MARKS = ["", "pass", "fail", "artifact"];
  const SIGNS = { "": "", pass: "\u2713", fail: "\u2715", artifact: "!" };
  const WORDS = { "": "not marked", pass: "pass", fail: "fail", artifact: "artefact" };
  // The keys of the lists that SCT's manual-correction reads, and the names that SCT's own
  // report gives to its files.
  const LIST = "FILES_SEG";

  const data = JSON.parse(document.getElementById("data").textContent);
  const subjects = data.subjects;
  const byId = id => document.getElementById(id);
  const body = document.querySelector("#results tbody");
  const rows = subjects.map((_, number) => byId(`row-${number}`));
  const large = byId("large");
  const storeKey = `sct_rootlets report ${data.batch}`;

  let marks = {};
  let order = [...body.rows].map(row => Number(row.dataset.number));
  let current = null;
  let status = "";

  // Marks -----------------------------------------------------------------------------------

  function recall() {
    try {
      marks = JSON.parse(localStorage.getItem(storeKey)) || {};
    } catch {
      byId("unkept").hidden = false;
    }
  }

  function keep() {
    try {
      localStorage.setItem(storeKey, JSON.stringify(marks));
    } catch {
      byId("unkept").hidden = false;
    }
  }

  // A mark of an earlier result of the same name is shown pale, and does not count.
  const entry = number => marks[subjects[number].key] || { mark: "", note: "" };
  const isStale = number => {
    const made = entry(number).digest;
    return Boolean(made && made !== subjects[number].digest);
  };
  const markOf = number => (isStale(number) ? "" : entry(number).mark);

  function setMark(number, mark) {
    marks[subjects[number].key] = {
      mark, note: entry(number).note, digest: subjects[number].digest,
    };
    changed(number);
  }

  function setNote(number, note) {
    const before = entry(number);
    marks[subjects[number].key] = {
      mark: before.mark, note, digest: before.digest || subjects[number].digest,
    };
    changed(number);
  }

  function changed(number) {
    keep();
    showMark(number);
    showCounts();
  }

  function showMark(number) {
    const { mark, note } = entry(number);
    const button = rows[number].querySelector("button.mark");
    button.textContent = SIGNS[mark];
    button.className = `mark ${mark}${isStale(number) ? " stale" : ""}`;
    const words = WORDS[mark] + (isStale(number) ? ", of an earlier result" : "");
    button.setAttribute("aria-label", words);
    button.title = words;
    rows[number].querySelector(".note").textContent = note;
    if (large.open && number === current) showLargeMark();
  }

  function showCounts() {
    const counts = { pass: 0, fail: 0, artifact: 0 };
    for (let number = 0; number < subjects.length; number++) {
      const mark = markOf(number);
      if (mark) counts[mark]++;
    }
    const sum = counts.pass + counts.fail + counts.artifact;
    byId("marked").textContent = `${sum} of ${subjects.length} marked: ${counts.pass} pass, ` +
      `${counts.fail} fail, ${counts.artifact} artefact`;
    for (const mark of ["pass", "fail", "artifact"]) byId(`save-${mark}`).disabled = !counts[mark];
  }

  // Files -----------------------------------------------------------------------------------

  const plain = /^[A-Za-z0-9_][A-Za-z0-9_.\/-]*$/;
  const seen = new Map();
  for (const { name } of subjects) seen.set(name, (seen.get(name) || 0) + 1);
  // A file name that several images have says which one with the folder of the result.
  function fileOf(number) {
    const { name, key } = subjects[number];
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    return seen.get(name) > 1 ? folder + name : name;
  }

  function yamlOf(mark) {
    const lines = [];
    for (const number of order) {
      if (markOf(number) !== mark) continue;
      const file = fileOf(number);
      const note = entry(number).note.replace(/\s+/g, " ").trim();
      const text = plain.test(file) ? file : JSON.stringify(file);
      lines.push(`- ${text}${note ? ` # ${note}` : ""}`);
    }
    return lines.length ? `${LIST}:\n${lines.join("\n")}\n` : "";
  }

  function save(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function loadMarks(name, text) {
    if (/\.json$/i.test(name)) {
      const read = JSON.parse(text);
      for (const [key, value] of Object.entries(read.marks || {})) {
        if (!value || !MARKS.includes(value.mark)) continue;
        marks[key] = {
          mark: value.mark, note: String(value.note || ""), digest: String(value.digest || ""),
        };
      }
    } else {
      const kind = /(pass|fail|artifact)/i.exec(name);
      if (!kind) throw new Error("its name says neither pass, fail nor artifact");
      readList(text, kind[1].toLowerCase());
    }
    keep();
    subjects.forEach((_, number) => showMark(number));
    showCounts();
    apply();
  }

  function readList(text, mark) {
    const numbers = new Map(subjects.map((_, number) => [fileOf(number), number]));
    for (const line of text.split(/\r?\n/)) {
      const found = /^\s*-\s+("(?:[^"\\]|\\.)*"|[^#\s][^#]*?)\s*(?:#\s*(.*))?$/.exec(line);
      if (!found) continue;
      const file = found[1].startsWith('"') ? JSON.parse(found[1]) : found[1];
      const number = numbers.get(file) ?? numbers.get(file.split("/").pop());
      if (number === undefined) continue;
      const note = found[2] || entry(number).note;
      const { key, digest } = subjects[number];
      marks[key] = { mark, note, digest };
    }
  }

  // The table ---------------------------------------------------------------------------------

  const values = {
    mark: number => MARKS.indexOf(markOf(number)),
    name: number => subjects[number].name.toLowerCase(),
    score: number => subjects[number].score,
    measured: number => subjects[number].measured,
    worst: number => subjects[number].worst,
    warnings: number => subjects[number].warnings.length,
    model: number => `${subjects[number].facts.Model || ""} ${subjects[number].facts.Definition}`,
    note: number => entry(number).note.toLowerCase(),
  };

  function compare(a, b) {
    if (Array.isArray(a)) {
      return a.reduce((found, part, place) => found || compare(part, b[place]), 0);
    }
    return a < b ? -1 : a > b ? 1 : 0;
  }

  function sortBy(button) {
    const heading = button.closest("th");
    const up = heading.getAttribute("aria-sort") === "descending";
    document.querySelectorAll("th[aria-sort]").forEach(th => th.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = values[button.dataset.sort];
    const sign = up ? 1 : -1;
    const sorted = order.map(number => [number, value(number)]);
    sorted.sort((a, b) => sign * compare(a[1], b[1]));
    order = sorted.map(pair => pair[0]);
    body.append(...order.map(number => rows[number]));
  }

  function apply() {
    const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const mark = byId("marks").value;
    let count = 0;
    for (const number of order) {
      const subject = subjects[number];
      const text = [
        subject.key, subject.name, subject.status, ...subject.reasons, ...subject.warnings,
        subject.facts.Model || "", entry(number).note,
      ].join("\n").toLowerCase();
      const shown = (!status || subject.status === status)
        && (!mark || (markOf(number) || "none") === mark)
        && words.every(word => text.includes(word));
      rows[number].hidden = !shown;
      count += shown;
    }
    byId("shown").textContent = `${count} shown`;
    if (current !== null && rows[current].hidden && !large.open) select(null);
  }

  function select(number) {
    if (current !== null) rows[current].classList.remove("current");
    current = number;
    if (number === null) return;
    rows[number].classList.add("current");
    rows[number].scrollIntoView({ block: "nearest" });
    if (large.open) fill(number);
  }

  function step(by) {
    const visible = order.filter(number => !rows[number].hidden);
    if (!visible.length) return;
    const at = visible.indexOf(current);
    const next = at < 0 ? (by > 0 ? 0 : visible.length - 1) : at + by;
    select(visible[Math.min(Math.max(next, 0), visible.length - 1)]);
  }

  // The large view ------------------------------------------------------------------------------

  function element(tag, text, kind) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function tableRow(cells, tag = "td") {
    const row = element("tr");
    row.append(...cells.map(cell => (cell instanceof Node ? cell : element(tag, cell))));
    return row;
  }

  const listed = texts => texts.map(text => element("li", text));

  function showPicture() {
    const marked = byId(`marked-${current}`);
    const bare = byId(`bare-${current}`);
    const source = byId("overlay").checked ? marked : bare || marked;
    byId("no-picture").hidden = Boolean(source);
    byId("picture").hidden = !source;
    if (!source) return;
    const picture = byId("picture");
    [picture.width, picture.height] = subjects[current].size;
    picture.alt = `Levels of ${subjects[current].name} on the image, and around the cord`;
    picture.src = `data:image/webp;base64,${source.textContent}`;
  }

  function z(value, far) {
    if (value === undefined) return element("td", "");
    return element("td", `${value > 0 ? "+" : ""}${value.toFixed(1)}`, far ? "far-cell" : "");
  }

  function levelRow(level) {
    const name = element("td");
    const swatch = element("span", "", "swatch");
    swatch.style.background = level.colour;
    name.append(swatch, level.name);
    return tableRow([
      name, level.status, level.rostral, level.caudal, level.length,
      level.length_expected || "", z(level.length_z, level.length_far),
      level.midpoint_expected || "", z(level.midpoint_z, level.midpoint_far), level.flags,
    ]);
  }

  function fill(number) {
    const subject = subjects[number];
    byId("large-title").textContent = subject.name;
    byId("large-status").textContent = subject.status;
    byId("large-status").className = `chip ${subject.status}`;
    byId("large-reasons").replaceChildren(...listed(subject.reasons));
    byId("large-warnings").replaceChildren(
      ...listed(subject.warnings.length ? subject.warnings : ["none"]));
    byId("large-facts").replaceChildren(
      ...Object.entries({ Result: subject.key, ...subject.facts }).map(pair => tableRow(pair)));
    byId("large-levels").replaceChildren(
      tableRow(["level", "status", "rostral mm", "caudal mm", "length mm", "population", "SD off",
        "midpoint expected", "SD off", "flags"], "th"),
      ...subject.levels.map(levelRow));
    showLargeMark();
    showPicture();
  }

  function showLargeMark() {
    const { mark, note } = entry(current);
    large.querySelectorAll("[data-mark]").forEach(button =>
      button.setAttribute("aria-pressed", String(button.dataset.mark === mark)));
    if (document.activeElement !== byId("note")) byId("note").value = note;
  }

  function open(number) {
    select(number);
    if (!large.open) large.showModal();
    large.scrollTop = 0;
    fill(number);
  }

  // Events ----------------------------------------------------------------------------------------

  const inTurns = number => setMark(number, MARKS[(MARKS.indexOf(markOf(number)) + 1) % 4]);

  const keys = {
    j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
    o: () => current !== null && open(current),
    Enter: () => current !== null && open(current),
    ArrowRight: () => large.open && byId("overlay").click(),
    f: () => current !== null && inTurns(current),
    "/": () => !large.open && byId("find").focus(),
    "?": () => byId("keys").showModal(),
    n: () => {
      if (current === null) return;
      if (!large.open) open(current);
      byId("note").focus();
    },
  };
  ["", "pass", "fail", "artifact"].forEach((mark, digit) => {
    keys[String(digit)] = () => current !== null && setMark(current, mark);
  });

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    const at = event.target;
    if (at.matches("input:not([type=checkbox]), select, textarea")) {
      if (event.key === "Enter" || (event.key === "Escape" && at !== byId("find"))) {
        event.preventDefault();
        at.blur();
      }
      return;
    }
    if (event.key === "Enter" && at.matches("button, input")) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  body.addEventListener("click", event => {
    const row = event.target.closest("tr");
    const number = Number(row.dataset.number);
    if (event.target.closest("button.mark")) {
      select(number);
      inTurns(number);
    } else if (event.target.closest(".open")) open(number);
    else select(number);
  });

  document.querySelectorAll("[data-sort]").forEach(button =>
    button.addEventListener("click", () => sortBy(button)));
  document.querySelectorAll("[data-filter]").forEach(button =>
    button.addEventListener("click", () => {
      status = button.dataset.filter;
      document.querySelectorAll("[data-filter]").forEach(other =>
        other.setAttribute("aria-pressed", String(other === button)));
      apply();
    }));
  large.querySelectorAll("[data-mark]").forEach(button =>
    button.addEventListener("click", () => setMark(current, button.dataset.mark)));
  byId("find").addEventListener("input", apply);
  byId("marks").addEventListener("change", apply);
  byId("overlay").addEventListener("change", showPicture);
  byId("note").addEventListener("input", () => setNote(current, byId("note").value));
  byId("picture").addEventListener("click", () => byId("picture").classList.toggle("whole"));
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("close").addEventListener("click", () => large.close());
  byId("help").addEventListener("click", () => byId("keys").showModal());
  byId("keys-close").addEventListener("click", () => byId("keys").close());
  for (const mark of ["pass", "fail", "artifact"]) {
    byId(`save-${mark}`).addEventListener("click", () =>
      save(`qc_${mark}.yml`, yamlOf(mark), "text/yaml"));
  }
  byId("save-all").addEventListener("click", () =>
    save("qc_marks.json", JSON.stringify({ title: data.title, marks }, null, 2), "application/json"));
  byId("load").addEventListener("change", async event => {
    for (const file of event.target.files) {
      try {
        loadMarks(file.name, await file.text());
      } catch (error) {
        alert(`${file.name} holds no marks: ${error.message}`);
      }
    }
    event.target.value = "";
  });

  recall();
  subjects.forEach((_, number) => showMark(number));
  showCounts();
  apply();
})();

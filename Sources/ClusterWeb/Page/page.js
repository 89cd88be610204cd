// The live page: it keeps what the coordinator last said, and nothing older.
import { lineChart, short } from "./charts.js";

const by = id => document.getElementById(id);
const page = { status: null, history: null, events: [], token: null, heardAt: 0, source: null, retries: 0 };
const shownEvents = 100;

// MARK: Building blocks

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") node.className = value;
    else if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter(child => child !== null));
  return node;
}

/** Sets a text only where it changes, so that screen readers hear changes alone. */
function say(node, text) { if (node.textContent !== text) node.textContent = text; }

function bytes(count) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (count >= size) return `${short(count / size)} ${unit}`;
  }
  return `${count} B`;
}

function span(seconds) {
  const whole = Math.round(seconds);
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole} s`;
}

const plural = (count, one, many = one + "s") => `${count} ${count === 1 ? one : many}`;

function part(style, share) {
  const node = make("span", { class: style });
  node.style.width = `${(100 * share).toFixed(2)}%`;
  return node;
}

/** A list whose rows stay where they are while their content changes: focus and scrolling survive. */
function rows(list, items, key, build) {
  const known = new Map([...list.children].map(row => [row.dataset.key, row]));
  const wanted = items.map(item => {
    const name = String(key(item));
    let row = known.get(name);
    if (!row) { row = make("li"); row.dataset.key = name; }
    known.delete(name);
    build(row, item);
    return row;
  });
  for (const row of list.querySelectorAll(":scope > .empty")) row.remove();
  for (const row of known.values()) row.remove();
  let place = list.firstElementChild;
  for (const row of wanted) {
    // A row that goes down is moved itself, not those that it lets pass: what is moved loses the focus and a press under way.
    if (place !== row && place?.nextElementSibling === row) { list.append(place); place = row; }
    if (place === row) place = row.nextElementSibling;
    else list.insertBefore(row, place);
  }
}

// MARK: The head

function showHead(status) {
  say(by("run"), status.runID);
  const state = by("state");
  if (state.dataset.state !== status.state) {
    state.dataset.state = status.state;
    say(state, status.state);
    say(by("spoken"), `The run is ${status.state}.`);
  }
  const [round, rounds] = [status.round, status.rounds];
  by("progress").setAttribute("aria-valuemax", rounds);
  by("progress").setAttribute("aria-valuenow", round);
  by("done").style.width = `${100 * Math.min(1, rounds ? round / rounds : 0)}%`;
  say(by("rounds"), `Round ${round} of ${rounds} committed`);
  const isGoing = status.state === "running" && status.secondsLeft;
  say(by("left"), isGoing ? `about ${span(status.secondsLeft)} left` : `${span(status.elapsed)} since the start`);
  document.title = `${round}/${rounds} ${status.state} · FlowSteer`;
  const focused = document.activeElement;
  const [isOver, isPaused, mayCommand] = [status.state === "finished", status.state === "paused", page.token !== null];
  by("pause").hidden = !mayCommand || isOver || isPaused;
  by("resume").hidden = !mayCommand || isOver || !isPaused;
  by("checkpoint").hidden = by("drain").hidden = !mayCommand || isOver;
  by("drain").ariaDisabled = status.state === "draining";
  by("unlock").hidden = mayCommand || isOver;
  // Who works with the keyboard stays where the button was that went.
  if (focused?.hidden) (["pause", "resume", "checkpoint", "unlock"].map(by).find(button => !button.hidden) ?? by("main")).focus({ preventScroll: true });
}

// That a round waits for those at work, and what is made for those who use it, is the way of things; anything else may want a person.
const isUsual = reason => /\((training|it has no trajectory), |% received\)|being averaged|being made|to load the parameters|ready trainers|until a trainer has room/.test(reason);

function showReasons(reasons) {
  const list = by("reasons");
  const text = reasons.join("\n");
  by("waiting").hidden = reasons.length === 0;
  if (list.dataset.text === text) return;
  list.dataset.text = text;
  const unusual = reasons.filter(reason => !isUsual(reason));
  say(by("waiting-title"), unusual.length ? "Waiting on" : "Under way");
  by("waiting").classList.toggle("usual", !unusual.length);
  list.replaceChildren(...[...unusual, ...reasons.filter(isUsual)].map(reason => make("li", {}, reason.charAt(0).toUpperCase() + reason.slice(1))));
  // Read out once, not again with every second that is counted in it.
  const kind = unusual.join(". ").replaceAll(/\d+/g, "");
  if (kind && kind !== list.dataset.kind) say(by("spoken"), `Waiting on: ${unusual.join(". ")}`);
  list.dataset.kind = kind;
}

// MARK: The flow

function showFlow(status) {
  const { batches, averaging } = status;
  const share = averaging.rounds ? 100 * (averaging.committing + averaging.resuming) / (averaging.seconds || 1) : null;
  const offered = page.history?.rounds.at(-1);
  const isStoring = status.waitingOn.some(reason => reason.includes("averaged and stored"));
  const phase = isStoring ? "being stored" : offered?.offered && !offered.committed ? "offers arrive" : status.isRoundOpen ? "trainers at work" : "not open";
  const next = Math.min(status.rounds, status.round + (status.state === "finished" ? 0 : 1));
  const stages = [
    ["Prompts", batches.pending, "waiting for a rollout"],
    ["Rollout", batches.leased, status.trajectories.perSecond ? `${short(status.trajectories.perSecond)} samples/s` : "being solved"],
    ["Trajectories", batches.produced, "waiting for a trainer"],
    ["Training", batches.assigned, `${plural(batches.consumed, "batch", "batches")} used up in this round`],
    ["Averaging", `#${next}`, share === null ? phase : `${phase}; ${share.toFixed(1)} % of the time`],
    ["Checkpoint", status.round || "–", status.figures.lastCheckpointTime ? `${span(Math.max(0, status.time - status.figures.lastCheckpointTime))} ago` : "committed rounds"],
  ];
  rows(by("flow"), stages, stage => stage[0], (row, [name, count, detail]) => {
    if (!row.firstChild) row.append(make("div", { class: "name" }, name), make("div"), make("div", { class: "detail" }));
    row.children[1].className = count === 0 || count === "–" ? "count idle" : "count";
    say(row.children[1], String(count));
    say(row.children[2], detail);
  });
  const settled = [`${plural(batches.committed, "batch", "batches")} committed`, `${status.trajectories.total} trajectories made`];
  if (batches.dead) settled.push(`${batches.dead} given up`);
  if (status.refusals) settled.push(`${plural(status.refusals, "message")} refused`);
  say(by("settled"), settled.join(" · "));
}

// MARK: Nodes

function showNodes(status) {
  const isHere = node => !["left", "dead"].includes(node.state);
  const nodes = [...status.nodes].sort((one, other) => isHere(other) - isHere(one) || one.role.localeCompare(other.role) || one.name.localeCompare(other.name, undefined, { numeric: true })).slice(0, 64);
  const wanted = status.figures.recommendedRollouts;
  const here = status.nodes.filter(node => node.role === "rollout" && isHere(node)).length;
  say(by("scale"), wanted === undefined || wanted === null || !nodes.length ? "" : `${plural(here, "rollout")} here; ${wanted} would keep up with the trainers`);
  if (!nodes.length) return;
  rows(by("nodes"), nodes, node => node.id, (row, node) => {
    row.dataset.standing = node.state;
    if (!row.firstChild) {
      row.append(
        make("div", { class: "top" }, make("span", { class: "dot", "aria-hidden": "true" }), make("span", { class: "name" }), make("span", { class: "role" }), make("span", { class: "rate" })),
        make("p", { class: "activity" }),
        make("div", { class: "split", role: "img" }),
        make("div", { class: "foot" }, make("span"), make("button", { type: "button" }, "Drain"))
      );
      row.querySelector("button").onclick = () => drain(node);
    }
    const [, name, role, rate] = row.firstChild.children;
    say(name, node.name);
    say(role, node.state === "alive" ? node.role : `${node.role}, ${node.state}`);
    say(rate, isHere(node) && node.samplesPerSecond ? `${short(node.samplesPerSecond)}/s` : "");
    say(row.children[1], isHere(node) ? node.activity : "");
    const { compute, wait, wire } = node.seconds;
    const all = compute + wait + wire || 1;
    const split = row.children[2];
    split.replaceChildren(part("compute", compute / all), part("wait", wait / all), part("wire", wire / all));
    split.setAttribute("aria-label", `${Math.round(100 * compute / all)} % computing, ${Math.round(100 * wait / all)} % waiting, ${Math.round(100 * wire / all)} % sending and receiving`);
    const [figures, button] = row.children[3].children;
    const facts = [plural(node.samples, "sample")];
    if (node.peakMemoryByteCount) facts.push(`${bytes(node.peakMemoryByteCount)} peak`);
    if (node.outstanding.byteCount) facts.push(`${bytes(node.outstanding.byteCount)} in hand`);
    say(figures, facts.join(" · "));
    button.hidden = page.token === null || !isHere(node);
    button.setAttribute("aria-label", `Drain ${node.name}`);
  });
}

// MARK: Curves and bars

const column = (series, name) => series.x.map((time, index) => [time, series.values[name]?.[index] ?? null]);

function showLosses(history, status) {
  const names = [...new Set([...Object.keys(history.losses.values), ...Object.keys(history.steps.values), ...Object.keys(status.losses)])].sort();
  if (!names.length) return;
  const captions = names.map(name => make("figcaption", {}, make("span", {}, name.replaceAll("_", " ")), make("b", {}, short(status.losses[name]))));
  const figures = captions.map(caption => make("figure", {}, caption));
  by("losses").replaceChildren(...figures);
  const width = figures[0].clientWidth;
  names.forEach((name, index) => {
    const means = column(history.losses, name), steps = column(history.steps, name);
    const newest = status.losses[name];
    const last = means.filter(point => point[1] !== null).at(-1);
    const label = `${name}: ${short(newest)} in the newest step${last ? `, ${short(last[1])} on average in the last round` : ""}`;
    figures[index].append(lineChart([{ points: steps, style: "blue", faint: true }, { points: means, style: "blue", dots: means.length < 60 }], label, { width }));
  });
}

function showThroughput(history) {
  if (!history.throughput.x.length) return;
  const [solved, trained] = [column(history.throughput, "solved"), column(history.throughput, "trained")];
  const [made, used] = [solved.at(-1)?.[1], trained.at(-1)?.[1]];
  const key = (style, text, value) => make("span", { class: "key" }, make("i", { class: style }), `${text} `, make("b", {}, short(value)));
  by("throughput").replaceChildren(make("figure", {},
    make("figcaption", {}, key("blue", "solved by rollouts", made), key("teal", "taken by trainers", used)),
    lineChart([{ points: solved, style: "blue" }, { points: trained, style: "teal" }], `${short(made)} samples a second solved by rollouts, ${short(used)} taken by trainers`, { fromZero: true, width: by("throughput").clientWidth })));
}

function showBytes(status) {
  const planes = status.doors.map(door => ({ name: door.name, received: door.byteCount, sent: door.sentByteCount }));
  planes.push({ name: "trajectories", received: 0, sent: status.figures.fetchedByteCount });
  const most = Math.max(1, ...planes.map(plane => plane.received + plane.sent));
  rows(by("bytes"), planes, plane => plane.name, (row, plane) => {
    if (!row.firstChild) row.append(make("span"), make("span", { class: "amount" }), make("div", { class: "bar", "aria-hidden": "true" }));
    say(row.children[0], plane.name);
    say(row.children[1], plane.name === "trajectories" ? `${bytes(plane.sent)} from rollouts to trainers` : `${bytes(plane.received)} in, ${bytes(plane.sent)} out`);
    row.children[2].replaceChildren(part("compute", plane.received / most), part("wire", plane.sent / most));
  });
}

function showTimeline(history, status) {
  const rounds = history.rounds;
  if (!rounds.length) return;
  const spans = rounds.map((round, index) => {
    const next = rounds[index + 1];
    const isOpen = !round.committed && !next && status.state !== "finished";
    const end = next?.opened ?? round.committed ?? (isOpen ? status.time : round.offered ?? round.opened);
    const offered = round.offered ?? Math.min(round.committed ?? end, end), committed = round.committed ?? end;
    return { round: round.round, isOpen, length: end - round.opened, train: offered - round.opened, average: committed - offered, resume: end - committed };
  }).slice(-12).reverse();
  const longest = Math.max(1e-9, ...spans.map(each => each.length));
  rows(by("timeline"), spans, each => each.round, (row, each) => {
    row.className = each.isOpen ? "open" : "";
    if (!row.firstChild) row.append(make("span"), make("div", { class: "bar", role: "img" }), make("span", { class: "length" }));
    say(row.children[0], `round ${each.round}`);
    row.children[1].replaceChildren(part("compute", each.train / longest), part("average", each.average / longest), part("wait", each.resume / longest));
    row.children[1].setAttribute("aria-label", `${span(each.train)} training, ${short(each.average)} s until the commit, ${short(each.resume)} s until trainers went on`);
    say(row.children[2], each.length < 60 ? `${short(each.length)} s` : span(each.length));
  });
}

function showFiles(history) {
  const sheet = by("sheet-section");
  sheet.hidden = !history.sheetTime;
  const address = `/samples.png?${history.sheetTime}`;
  if (history.sheetTime && by("sheet").getAttribute("src") !== address) by("sheet").src = by("sheet-link").href = address;
  if (!history.checkpoints.length) return;
  rows(by("checkpoints"), history.checkpoints, checkpoint => checkpoint.round, (row, checkpoint) => {
    if (row.firstChild) return;
    const size = checkpoint.files.reduce((sum, file) => sum + file.byteCount, 0);
    row.append(
      make("div", {}, `Round ${checkpoint.round} `, make("span", { class: "size" }, bytes(size))),
      make("div", { class: "files" }, ...checkpoint.files.map(file =>
        make("a", { href: `/checkpoints/${checkpoint.round}/${file.name}`, download: `round-${checkpoint.round}-${file.name}`, title: bytes(file.byteCount), "aria-label": `${file.name} of round ${checkpoint.round}, ${bytes(file.byteCount)}` }, file.name))));
  });
}

// MARK: Events

const words = {
  joined: "joined", returned: "came back", suspected: "is late", recovered: "is heard again", died: "died", replaced: "was restarted", left: "left",
  refused: "refused", violated: "broke the protocol", stalled: "stalled", leaseExpired: "lease expired", leaseFailed: "lease failed",
  hedged: "a second lease", trajectoryLost: "trajectory lost", batchDied: "batch given up", lateResult: "late result",
  repeatedResult: "repeated result", diverged: "results differ", audited: "audited", quarantined: "quarantined", roundOpened: "opened",
  roundCut: "ends early", roundClosed: "closed", roundCommitted: "committed", roundFailed: "could not be stored",
  ringBroken: "is averaged by the coordinator",
  offerRejected: "offer refused", excluded: "excluded", voided: "steps void", paused: "paused", resumed: "resumed",
  draining: "draining", finished: "finished", started: "coordinator started", authorized: "authorized nodes", complaint: "complaint",
};
const grave = new Set(["died", "violated", "batchDied", "roundFailed", "quarantined", "diverged", "complaint", "offerRejected", "refused"]);
const good = new Set(["roundCommitted", "finished"]);

function sentence(event) {
  const node = event.node === undefined ? null : page.status?.nodes.find(each => each.id === event.node)?.name ?? `node ${event.node}`;
  const isOfRound = event.kind.startsWith("round");
  const subject = [node, event.round !== undefined ? `round ${event.round}` : null, event.batch !== undefined ? `batch ${event.batch}` : null];
  const who = (isOfRound ? subject.reverse() : subject).filter(each => each !== null).join(", ");
  const what = words[event.kind] ?? event.kind;
  const rest = event.text && event.text !== node ? `: ${event.text}` : "";
  return `${who ? who + " " : ""}${what}${rest}`;
}

function showEvents(news) {
  const list = by("events");
  for (const row of list.querySelectorAll(".empty")) row.remove();
  for (const event of news) {
    const at = new Date(event.time * 1000);
    list.prepend(make("li", { class: grave.has(event.kind) ? "grave" : good.has(event.kind) ? "good" : "" },
      make("time", { dateTime: at.toISOString() }, at.toLocaleTimeString([], { hour12: false })),
      make("span", { class: "what" }, sentence(event))));
    if (event.kind === "roundCommitted") say(by("spoken"), `Round ${event.round} is committed.`);
  }
  while (list.children.length > shownEvents) list.lastChild.remove();
}

// MARK: Drawing

let isDue = false;
/** Draws once a frame at most, and not while nobody looks. */
function draw() {
  if (isDue || !page.status) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    const { status, history } = page;
    showHead(status);
    showReasons(status.waitingOn);
    showFlow(status);
    showNodes(status);
    showBytes(status);
    if (history) showTimeline(history, status);
    if (history && page.drawn !== history) {
      page.drawn = history;
      showLosses(history, status);
      showThroughput(history);
      showFiles(history);
    }
  });
}

// MARK: Hearing

function hear() {
  page.source?.close();
  const source = page.source = new EventSource("/events");
  const on = (name, take) => source.addEventListener(name, message => {
    page.heardAt = performance.now();
    page.retries = 0;
    take(JSON.parse(message.data));
    draw();
  });
  on("status", status => { page.status = status; });
  on("history", history => { page.history = history; });
  on("events", news => {
    if (news[0].number <= (page.lastEvent ?? 0)) by("events").replaceChildren();
    page.lastEvent = news.at(-1).number;
    showEvents(news);
  });
  source.onerror = async () => {
    // A finished run has no coordinator any more.
    if (page.status?.state === "finished") return source.close();
    if (source !== page.source || source.readyState !== EventSource.CLOSED) return;
    // A server that answered, but not with events: it may want the token.
    const again = Math.min(10, 2 ** page.retries++);
    setTimeout(start, 1000 * again);
  };
}

/**
 * Shows the token where there is one, for the cookie that reading from other machines needs; then listens.
 * @param welcome what to say when the token is right.
 */
async function start(welcome) {
  try {
    if (page.token !== null) {
      const answer = await fetch("/session", { method: "POST", headers: { Authorization: `Bearer ${page.token}` } });
      if (answer.status === 401) { keep(null); draw(); tell("that is not this run's token"); }
      else if (welcome) tell(welcome);
    } else if (page.retries > 1 && (await fetch("/status")).status === 401) {
      return unlock();
    }
  } catch { /* It is not there; the events tell when it is. */ }
  hear();
}

function showLink() {
  const silence = (performance.now() - page.heardAt) / 1000;
  const isOver = page.status?.state === "finished";
  const link = by("link");
  const isLive = page.heardAt > 0 && silence < 4;
  link.dataset.link = isLive ? "live" : page.heardAt > 0 && !isOver ? "lost" : "connecting";
  say(by("link-text"), isLive ? "live" : page.heardAt === 0 ? "connecting" : isOver ? "the coordinator has ended" : "no word from the coordinator, trying again");
}

// MARK: Commands

const ask = ({ title, text, yes, field = false }) => new Promise(resolve => {
  const dialog = by("ask");
  say(by("ask-title"), title);
  say(by("ask-text"), text);
  say(by("ask-yes"), yes);
  by("ask-field").hidden = !field;
  by("ask-input").value = "";
  dialog.onsubmit = () => resolve(by("ask-input").value.trim() || true);
  // Told a moment after it closed, perhaps when the next question stands there already, which nobody has answered.
  dialog.onclose = () => { if (!dialog.open) resolve(null); };
  dialog.showModal();
});

let forgetting = null;
/** Says what a command does, for a while. */
function tell(text) {
  say(by("told"), text);
  clearTimeout(forgetting);
  forgetting = setTimeout(() => say(by("told"), ""), 8000);
}

/** @param told what to say when it is done; a button that is busy keeps the focus. */
async function command(path, told, button) {
  if (button?.ariaDisabled === "true") return;
  if (button) button.ariaDisabled = true;
  try {
    const answer = await fetch(`/do/${path}`, { method: "POST", headers: { Authorization: `Bearer ${page.token}` } });
    const text = (await answer.text()).trim();
    if (answer.status === 401) { keep(null); draw(); }
    if (answer.ok) tell(told);
    else await ask({ title: "That was not done", text, yes: "All right" });
  } catch {
    await ask({ title: "That was not done", text: "The coordinator does not answer.", yes: "All right" });
  } finally {
    if (button) button.ariaDisabled = false;
  }
}

async function drain(node) {
  const answer = await ask({ title: `Drain ${node.name}?`, text: "It finishes what it has begun and leaves; its place stays free until it is started again.", yes: "Drain it" });
  if (answer) await command(`drain?node=${node.id}`, `${node.name} finishes what it has begun and leaves`);
}

function keep(token) {
  page.token = token;
  if (token === null) sessionStorage.removeItem("flowsteer-token");
  else sessionStorage.setItem("flowsteer-token", token);
}

async function unlock() {
  const token = await ask({ title: "Unlock commands", text: "The word stands in web.token in the run's folder, and behind # in the link that flowsteer local prints.", yes: "Unlock", field: true });
  if (typeof token !== "string") return;
  keep(token);
  await start("commands are unlocked");
}

// No submit button: Enter in the field takes the form's first one.
by("ask-no").onclick = () => by("ask").close();
by("pause").onclick = event => command("pause", "no more work is handed out", event.target);
by("resume").onclick = event => command("resume", "work is handed out again", event.target);
by("checkpoint").onclick = event => command("checkpoint", page.status.isRoundOpen ? "the round ends after the step in hand" : "no round is open: the last committed one is the newest", event.target);
by("unlock").onclick = unlock;
by("drain").onclick = async event => {
  const answer = await ask({ title: "Finish the run early?", text: "The open round is committed, then the run is finished for good.", yes: "Finish it" });
  if (answer) await command("drain", "the open round is the last", event.target);
};

if (location.hash.length > 1) {
  keep(decodeURIComponent(location.hash.slice(1)));
  history.replaceState(null, "", location.pathname);
} else {
  keep(sessionStorage.getItem("flowsteer-token"));
}
setInterval(showLink, 1000);
document.addEventListener("visibilitychange", draw);
// Charts are drawn as wide as they are shown.
addEventListener("resize", () => { page.drawn = null; draw(); });
start();

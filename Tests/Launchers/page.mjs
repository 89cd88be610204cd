// node page.mjs RUN FOLDER: what Tests/Launchers/page.sh says, for the run in the folder RUN.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { openPage, pause } from "./browser.mjs";

const [run, folder] = process.argv.slice(2);
const address = `http://127.0.0.1:${JSON.parse(readFileSync(join(run, "web.json"))).port}/`;
const token = readFileSync(join(run, "web.token"), "utf8").trim();
const step = text => console.log(`-- ${text}`);
function expect(isSo, what) { if (!isSo) throw new Error(what); }

/** A page that is done with must have complained about nothing and asked nobody else. */
async function finish(page, home = address) {
  expect(!page.complaints.length, `the console has ${page.complaints.join("; ")}`);
  const elsewhere = page.requests.filter(url => !url.startsWith(home) && !url.startsWith("data:"));
  expect(!elsewhere.length, `it asked for ${elsewhere.join(", ")}`);
  await page.close();
}

const buttons = page => page.value(`[...document.querySelectorAll("header button, .nodes button")].filter(each => each.offsetParent).map(each => each.ariaLabel ?? each.textContent).sort().join(", ")`);
const isState = state => `document.querySelector("#state").textContent === "${state}"`;
const hasNodes = `document.querySelectorAll("#nodes li[data-key]").length >= 3`;
const isUnlocked = `!document.querySelector("#pause").hidden || !document.querySelector("#resume").hidden`;

async function commands() {
  step("by the keyboard alone: without the token there is nothing to command with, nor with another one");
  const page = await openPage(address);
  await page.until("three nodes", hasNodes);
  await page.until("a first paint", `performance.getEntriesByType("paint").length > 0`);
  const paints = await page.value(`performance.getEntriesByType("paint").map(each => Math.round(each.startTime))`);
  console.log(`first paint after ${paints.join(" and ")} ms`);
  expect(paints[0] < 1000, `the first paint comes after ${paints[0]} ms`);
  expect(await buttons(page) === "Unlock commands", `without a token: ${await buttons(page)}`);
  for (const key of ["Tab", "Tab", "Enter"]) await page.press(key);
  await page.type("another");
  await page.press("Enter");
  await page.until("the refusal", `document.querySelector("#told").textContent.includes("not this run's token")`);
  expect(await buttons(page) === "Unlock commands", `with another token: ${await buttons(page)}`);
  const answer = await page.value(`fetch("/do/drain?node=1", { method: "POST", headers: { Authorization: "Bearer another" } }).then(answer => answer.status)`);
  expect(answer === 401, `a command with another token: ${answer}`);
  // The browser notes the two refusals itself.
  expect(page.complaints.every(each => each.includes("401")), page.complaints.join("; "));
  page.complaints.length = 0;

  step("with the token: pause and resume");
  await page.press("Enter");
  await page.type(token);
  await page.press("Enter");
  await page.until("commands", isUnlocked);
  expect(await buttons(page) === "Checkpoint now, Drain rollout-1, Drain rollout-2, Drain trainer-1, Finish early, Pause", await buttons(page));
  await page.press("Enter");
  await page.until("pausing", isState("paused"));
  await page.until("the reason", `document.querySelector("#reasons").innerText.includes("The run is paused")`);
  await page.until("the focus on Resume", `document.activeElement.id === "resume"`);
  // A button that works does not take the next press; it has the focus all the while.
  await page.until("Pause to be done", `document.querySelector("#pause").ariaDisabled !== "true"`);
  await page.press(" ");
  await page.until("resuming", isState("running"));

  step("checkpoint now ends the open round; its files can be loaded");
  await page.until("an open round", `document.querySelector("#reasons").innerText.includes("samples so far")`);
  // Rollouts that are ahead want no person.
  await page.until("rollouts to be ahead", `document.querySelector("#reasons").innerText.includes("until a trainer has room") && document.querySelector("#waiting-title").innerText === "Under way"`);
  const round = await page.text("#rounds");
  await page.click("#checkpoint");
  await page.until("another round", `document.querySelector("#rounds").textContent !== ${JSON.stringify(round)}`);
  await page.until("checkpoints", `document.querySelector("#checkpoints a")`);
  const files = await page.value(`fetch(document.querySelector("#checkpoints a").href).then(answer => answer.arrayBuffer()).then(bytes => bytes.byteLength)`);
  expect(files > 1000, `a checkpoint's file has ${files} bytes`);
  await page.screenshot(join(folder, "page.png"));

  step("a rollout worker that is drained leaves, and the page says so");
  const drain = `#nodes button[aria-label="Drain rollout-2"]`;
  await page.click(drain);
  expect((await page.text("#ask")).includes("Drain rollout-2?"), await page.text("#ask"));
  await page.press("Escape");
  await page.until("the dialog to close", `!document.querySelector("#ask").open`);
  // The question comes once more before the browser has told that it was closed: that is no answer to this one.
  await page.value(`(() => { const drain = document.querySelector(${JSON.stringify(drain)}); drain.click(); document.querySelector("#ask-no").click(); drain.click(); })()`);
  await page.click("#ask-yes");
  await page.until("draining to begin", `document.querySelector("#events").innerText.includes("rollout-2 draining")`);
  // Its row goes to the end of the list; those that it passes stay as they are.
  await page.value(`document.querySelector('[aria-label="Drain trainer-1"]').focus()`);
  await page.until("rollout-2 to leave", `[...document.querySelectorAll("#nodes li")].some(each => each.innerText.includes("rollout, left"))`, 120);
  const names = await page.value(`[...document.querySelectorAll("#nodes .name")].map(each => each.innerText).join(", ")`);
  expect(names === "rollout-1, trainer-1, rollout-2", `the nodes are ${names}`);
  expect(await page.value("document.activeElement.ariaLabel") === "Drain trainer-1", "the focus is lost");
  expect((await page.text("#scale")).startsWith("1 rollout here"), await page.text("#scale"));
  await finish(page);
}

async function widths() {
  step("a phone and a desk, in light and in dark");
  for (const width of [360, 1280]) {
    for (const scheme of ["light", "dark"]) {
      const page = await openPage(`${address}#${token}`, { width, height: 800, scheme });
      await page.until("nodes and commands", `${hasNodes} && (${isUnlocked})`);
      await pause(1);
      expect(!(await page.value("location.href")).includes("#"), "the token stays in the address");
      const wide = await page.value(`[...document.querySelectorAll("body *")].filter(each => each.getBoundingClientRect().right > innerWidth + 1).map(each => each.id || each.className).join(", ")`);
      expect(!wide, `at ${width} pixels these are wider than the screen: ${wide}`);
      const ground = await page.value(`getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, each) => sum + Number(each), 0)`);
      expect((ground < 384) === (scheme === "dark"), `the ground in ${scheme} is ${ground} of 765`);
      await page.screenshot(join(folder, `page-${width}-${scheme}.png`));
      await finish(page);
    }
  }
}

/** The newest message of each kind that a page of the run is sent. */
async function recording() {
  const reader = (await fetch(`${address}events`)).body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = "", found = {}; ;) {
    const { value, done } = await reader.read();
    expect(!done, "the coordinator has ended");
    text += value;
    for (const [, kind, data] of text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)) found[kind] = JSON.parse(data);
    if (found.status && found.history && found.events) { await reader.cancel(); return found; }
  }
}

/** What the coordinator would send in one second of a long run, its history as full as it gets. */
function* seconds({ status, history, events }, count) {
  const names = { losses: Object.keys(status.losses), steps: Object.keys(status.losses), throughput: ["solved", "trained", "bytes"] };
  const kinds = ["joined", "died", "roundOpened", "roundCommitted", "leaseExpired", "complaint"];
  const message = (kind, value) => `event: ${kind}\ndata: ${JSON.stringify(value)}\n\n`;
  let number = events.at(-1).number;
  for (let second = 0; second < count; second++) {
    const time = status.time + second, round = 1 + Math.floor(second / 30);
    const wave = index => 1 + Math.sin(index / 7 + second / 100);
    // One of the workers is another one every ten minutes.
    const nodes = status.nodes.map((node, index) => index ? { ...node, samples: second } : { ...node, id: 100 + Math.floor(second / 600), name: `rollout-${Math.floor(second / 600)}` });
    let text = message("status", { ...status, time, elapsed: second, round, rounds: 1000, nodes, waitingOn: [`round ${round} waits for trainer-1 (training, ${second} samples so far)`] });
    if (second % 5 === 0) {
      const page = { ...history, sheetTime: null, rounds: Array.from({ length: 60 }, (_, index) => ({ round: round + index, opened: time + index, offered: time + index + 0.7, committed: time + index + 0.9 })) };
      for (const [series, columns] of Object.entries(names)) {
        const x = Array.from({ length: 400 }, (_, index) => time - 400 + index);
        page[series] = { x, values: Object.fromEntries(columns.map(name => [name, x.map((_, index) => wave(index))])) };
      }
      text += message("history", page) + message("events", [{ number: ++number, time, round, kind: kinds[number % kinds.length], text: `second ${second}` }]);
    }
    yield text;
  }
}

async function eightHours() {
  step("eight hours of events, as fast as the page takes them");
  const recorded = await recording();
  const sources = new URL("../../Sources/ClusterWeb/Page/", import.meta.url);
  const types = { html: "text/html", js: "text/javascript", css: "text/css" };
  let send;
  const server = createServer((request, response) => {
    if (request.url === "/events") {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      send = text => new Promise(resolve => response.write(text, resolve));
      return;
    }
    const name = request.url === "/" ? "index.html" : request.url.slice(1);
    response.writeHead(200, { "Content-Type": types[name.split(".").at(-1)] });
    response.end(readFileSync(new URL(name, sources)));
  });
  await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
  const home = `http://127.0.0.1:${server.address().port}/`;
  const page = await openPage(home);
  await page.until("the page to listen", "document.querySelector('#link')");
  while (!send) await pause(0.1);
  let second = 0, hours = [];
  for (const text of seconds(recorded, 8 * 3600)) {
    await send(text);
    // The page is not left behind: what it has not read yet would be counted.
    if (++second % 120 === 0) await page.until("the page to keep up", `document.querySelector("#reasons").innerText.includes(", ${second - 1} samples")`);
    if (second % 3600) continue;
    const memory = await page.memory();
    hours.push(memory);
    console.log(`after ${hours.length} h: ${(memory.bytes / 1e6).toFixed(2)} MB of JavaScript, ${memory.nodes} nodes, ${memory.listeners} listeners`);
  }
  // In the first hour lists and curves become as long as they get. Compiled code comes and goes by a tenth of a megabyte; what is kept
  // of each of the other six hours' reports would be megabytes.
  const [early, late] = [hours[1], hours.at(-1)];
  for (const what of Object.keys(early)) expect(late[what] < 1.25 * early[what], `${what} grow: ${early[what]} after two hours, ${late[what]} at the end`);
  expect(await page.value(`document.querySelectorAll("#events li").length`) === 100, "the events shown are not the newest 100");
  await finish(page, home);
  server.closeAllConnections();
  server.close();
}

try {
  await commands();
  await widths();
  await eightHours();
  console.log("page: commands, reasons, keyboard, widths, console and memory are right");
  process.exit(0);
} catch (error) {
  console.log(`FAILED: ${error.message}`);
  process.exit(1);
}

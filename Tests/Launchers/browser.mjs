// A page in a headless Chromium, steered by DevTools' protocol.
import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const pause = seconds => new Promise(resolve => setTimeout(resolve, 1000 * seconds));

/**
 * Opens an address in a browser of its own; `width` and `height` are in CSS pixels.
 *
 * Its files stay in the system's temporary folder: its processes write there for moments after it has ended.
 */
export async function openPage(address, { width = 1280, height = 900, scheme = "light" } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "page-"));
  const chromium = spawn("chromium", ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
  // Also when a check fails half way.
  const end = () => chromium.kill();
  process.once("exit", end);
  const hello = await new Promise((resolve, reject) => {
    let said = "";
    chromium.stderr.on("data", data => { const found = (said += data).match(/ws:\/\/[^\s]+/); if (found) resolve(found[0]); });
    chromium.on("exit", code => reject(new Error(`chromium ended with ${code}: ${said}`)));
  });
  const targets = await (await fetch(`http://${new URL(hello).host}/json/list`)).json();
  const socket = new WebSocket(targets.find(each => each.type === "page").webSocketDebuggerUrl);
  await new Promise(resolve => { socket.onopen = resolve; });

  const complaints = [], requests = [], waiting = new Map();
  let count = 0;
  socket.onmessage = ({ data }) => {
    const { id, method, params, result, error } = JSON.parse(data);
    if (id) { waiting.get(id)(result ?? { error }); waiting.delete(id); }
    else if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    else if (method === "Runtime.consoleAPICalled") complaints.push(`console.${params.type}`);
    else if (method === "Log.entryAdded" && params.entry.level !== "info") complaints.push(params.entry.text);
    else if (method === "Network.requestWillBeSent") requests.push(params.request.url);
  };
  const call = (method, params = {}) => new Promise(resolve => { waiting.set(++count, resolve); socket.send(JSON.stringify({ id: count, method, params })); });
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await call(`${domain}.enable`);
  await call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  await call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  await call("Page.navigate", { url: address });

  const page = {
    call, complaints, requests,
    /** The value of an expression on the page. */
    async value(expression) {
      const { result, exceptionDetails } = await call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
      if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
      return result.value;
    },
    text: selector => page.value(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`),
    /** Waits until an expression is true. */
    async until(what, expression, seconds = 60) {
      for (const end = Date.now() + 1000 * seconds; Date.now() < end; await pause(0.1)) if (await page.value(expression)) return;
      throw new Error(`${what}: not within ${seconds} s`);
    },
    async click(selector) {
      const place = await page.value(`(() => {
        const node = document.querySelector(${JSON.stringify(selector)});
        if (!node?.offsetParent) return null;
        node.scrollIntoView({ block: "center" });
        const { x, y, width, height } = node.getBoundingClientRect();
        return { x: x + width / 2, y: y + height / 2 };
      })()`);
      if (!place) throw new Error(`there is no ${selector} to click`);
      for (const type of ["mousePressed", "mouseReleased"]) await call("Input.dispatchMouseEvent", { type, ...place, button: "left", clickCount: 1 });
    },
    async press(key) {
      const text = { Enter: "\r", " ": " " }[key];
      const one = { key, code: key === " " ? "Space" : key, windowsVirtualKeyCode: { Tab: 9, Enter: 13, Escape: 27, " ": 32 }[key] };
      await call("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...one });
      await call("Input.dispatchKeyEvent", { type: "keyUp", ...one });
    },
    type: text => call("Input.insertText", { text }),
    async screenshot(path) {
      const { cssContentSize } = await call("Page.getLayoutMetrics");
      const { data } = await call("Page.captureScreenshot", { captureBeyondViewport: true, clip: { x: 0, y: 0, width, height: Math.ceil(cssContentSize.height), scale: 1 } });
      writeFileSync(path, Buffer.from(data, "base64"));
    },
    /** What the page holds after rubbish is collected: bytes of JavaScript, nodes, listeners. */
    async memory() {
      await call("HeapProfiler.collectGarbage");
      const { usedSize } = await call("Runtime.getHeapUsage");
      const { nodes, jsEventListeners } = await call("Memory.getDOMCounters");
      return { bytes: usedSize, nodes, listeners: jsEventListeners };
    },
    async close() {
      socket.close();
      const isOver = new Promise(resolve => chromium.on("exit", resolve));
      process.off("exit", end);
      end();
      await isOver;
    },
  };
  return page;
}

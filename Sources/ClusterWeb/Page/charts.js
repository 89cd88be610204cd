// Line charts as SVG: a box of the size it is shown at, a scale of its own for each chart, no library.

const space = "http://www.w3.org/2000/svg";
const [height, left, right, top, bottom] = [132, 42, 6, 8, 20];

function element(name, attributes, ...children) {
  const node = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A number in at most four digits that count. */
export function short(number) {
  if (number === null || number === undefined || !Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return number.toExponential(1);
  return String(Number(number.toPrecision(size >= 1000 ? 4 : 3)));
}

/** Two or three round numbers within a range, and how they are written: with the decimals that tell them apart. */
function ticks(low, high) {
  const rough = (high - low) / 2;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(each => each >= rough) ?? power;
  const first = Math.ceil(low / step - 1e-9);
  const list = [];
  for (let number = first; number * step <= high * (1 + 1e-9) && list.length < 5; number++) list.push(number * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const isTiny = Math.max(Math.abs(low), Math.abs(high)) < 0.001;
  return list.map(number => [number, isTiny ? short(number) : number.toFixed(Math.min(decimals, 6))]);
}

function span(seconds) {
  if (seconds >= 5400) return `${short(seconds / 3600)} h`;
  return seconds >= 90 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`;
}

/**
 * A chart of curves over time.
 * @param curves {points: [[time, value or null]], style, dots} each; times are seconds.
 * @param label what a screen reader says in its place.
 */
export function lineChart(curves, label, { fromZero = false, width = 320 } = {}) {
  const svg = element("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const points = curves.flatMap(curve => curve.points).filter(point => point[1] !== null);
  if (points.length === 0) return svg;
  const times = points.map(point => point[0]);
  const values = points.map(point => point[1]);
  const [begin, end] = [Math.min(...times), Math.max(...times)];
  let [low, high] = [fromZero ? 0 : Math.min(...values), Math.max(...values)];
  if (high - low < 1e-12) { high += Math.abs(high) * 0.1 || 1; if (!fromZero) low -= Math.abs(low) * 0.1 || 1; }
  const air = (high - low) * 0.06;
  high += air;
  if (!fromZero) low -= air;
  const x = time => left + (width - left - right) * (end > begin ? (time - begin) / (end - begin) : 0.5);
  const y = value => top + (height - top - bottom) * (1 - (value - low) / (high - low));

  for (const [tick, text] of ticks(low, high)) {
    svg.append(
      element("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
      element("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, text)
    );
  }
  if (end > begin) {
    svg.append(
      element("text", { x: left, y: height - 4 }, `${span(end - begin)} ago`),
      element("text", { x: width - right, y: height - 4, "text-anchor": "end" }, "now")
    );
  }
  for (const curve of curves) {
    let path = "", isDrawing = false;
    for (const [time, value] of curve.points) {
      if (value === null) { isDrawing = false; continue; }
      path += `${isDrawing ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
      isDrawing = true;
      if (curve.dots) svg.append(element("circle", { class: curve.style, cx: x(time).toFixed(1), cy: y(value).toFixed(1), r: 2.5 }));
    }
    if (path) svg.append(element("path", { class: `curve ${curve.style} ${curve.faint ? "live" : ""}`, d: path }));
  }
  return svg;
}

// The view of what goes on, and which view is seen.

import { byId, el, svg, timeText } from "./dom.js";

const PERIOD_MS = 2000;
const SAMPLES = 90;		// of a chart: three minutes
const ROWS = 200;		// of a table

// ---- charts ----

// at: a value that stands; counters: what is summed to a rate.
const tiles = [
	{ label: "Sessions", at: (s) => s.sessions },
	{ label: "Entities online", at: (s) => s.online },
	{ label: "Requests", counters: ["requests_total"] },
	{ label: "Messages in", counters: ['messages_total{direction="in"}'] },
	{ label: "Messages out", counters: ['messages_total{direction="out"}'] },
	{ label: "To entities", counters: ["deliveries_total"] },
	{ label: "In the inbox", at: (s) => s.inbox.items },
	{ label: "Waiting for the CSE", at: (s) => s.upstream.waiting },
];

function numberText(n) {
	if (n === null)
		return "–";
	return n.toLocaleString(undefined,
		{ maximumFractionDigits: n < 10 ? 1 : 0 });
}

function createTile(tile) {
	tile.samples = [];
	tile.number = el("strong", {}, "–");
	tile.area = svg("polygon", { class: "area" });
	tile.line = svg("polyline", { class: "line" });
	tile.chart = svg("svg", { viewBox: `0 0 ${SAMPLES - 1} 30`,
		preserveAspectRatio: "none", role: "img" }, tile.area, tile.line);
	return el("li", { class: "panel" }, el("span", {}, tile.label),
		el("div", {}, tile.number,
			el("small", {}, tile.counters ? "/s" : "")), tile.chart);
}

// The newest sample is at the right edge.
function drawTile(tile) {
	const known = tile.samples.filter((n) => n !== null);
	const most = Math.max(1, ...known);
	const from = SAMPLES - tile.samples.length;
	const points = tile.samples.map((n, i) =>
		`${from + i},${(29 - 27 * (n ?? 0) / most).toFixed(2)}`);

	tile.line.setAttribute("points", points.join(" "));
	tile.area.setAttribute("points",
		[`${from},30`, ...points, `${SAMPLES - 1},30`].join(" "));
	tile.chart.setAttribute("aria-label",
		`${tile.label}: at most ${numberText(Math.max(0, ...known))} ` +
		"in the last three minutes");
}

const sum = (counters, names) =>
	names.reduce((n, name) => n + (counters[name] ?? 0), 0);

// Null where nothing is known yet, or the daemon has begun anew.
function rate(tile, now, before) {
	if (before === null || now.uptime < before.uptime)
		return null;
	return (sum(now.counters, tile.counters) -
		sum(before.counters, tile.counters)) * 1000 /
		(now.at - before.at);
}

function showTiles(now, before) {
	for (const tile of tiles) {
		const n = tile.at ? tile.at(now) : rate(tile, now, before);

		tile.number.textContent = numberText(n);
		tile.samples.push(n);
		if (tile.samples.length > SAMPLES)
			tile.samples.shift();
		drawTile(tile);
	}
}

// ---- lists ----

function uptimeText(s) {
	const units = [[86400, "d"], [3600, "h"], [60, "min"]];

	for (const [size, name] of units)
		if (s >= size)
			return `${Math.floor(s / size)} ${name}`;
	return `${s} s`;
}

function showHealth(text, good) {
	byId("health").textContent = text;
	byId("health").className = good ? "pill good" : "pill bad";
}

function showCse(status) {
	const up = status.upstream;
	const rows = [
		["Reached by", `${up.up} of ${status.workers} workers`],
		["Connections", `${up.open}, ${up.idle} of them idle`],
		["Requests that wait", up.waiting],
		["Connections that failed",
			status.counters.upstream_failed_total ?? 0],
		...(status.upstreams.length > 1 ? status.upstreams : []).map((u) =>
			[u.name, `up for ${u.up} of ${status.workers} workers, ` +
				`${u.pending} pending, ${u.failures} failed`]),
		["Registered", `${status.entities}, ${status.online} online`],
	];

	byId("cse").replaceChildren(...rows.map(([name, value]) =>
		el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))));
	byId("cse").className = up.up < status.workers ? "bad" : "good";
}

// Names of counters that count what went wrong, with a label or without.
const BAD = /refus|closed_total|malformed|complex|failed|poisoned|paused|abandoned|limited|orphans/;
const BAD_ENDS = /ends_total.*="(?!answered|delivered|stored|replaced)/;

function refusalOf([name, count]) {
	const [, what, why] = /^([^{]*)(?:\{[^=]*="(.*)"\})?$/.exec(name);

	return [what.replace(/(_ends)?_total$/, "").replaceAll("_", " "),
		(why ?? "").replaceAll("_", " "), count.toLocaleString()];
}

// rows: texts of each row, in the columns of the table. It is only touched
// when something has changed, so that a selection in it lasts.
function showTable(id, rows) {
	const table = byId(id), said = JSON.stringify(rows);
	const heads = [...table.tHead.rows[0].cells];

	table.hidden = rows.length === 0;
	byId(id + "-empty").hidden = rows.length > 0;
	if (table.said === said)
		return;
	table.said = said;
	table.tBodies[0].replaceChildren(...rows.map((row) =>
		el("tr", {}, ...row.map((text, i) => el("td", {
			"data-label": heads[i].textContent,
			class: heads[i].className }, String(text))))));
}

function sessionRow(s) {
	const rest = s.entities - s.originators.length;
	const who = s.originators.join(", ") + (rest > 0 ? ` +${rest}` : "");

	return [s.sid, s.peer, who || "–",
		s.credential || s.certificate || "–",
		s.subprotocol || "–", timeText(new Date(s.opened * 1000)),
		s.messages_in, s.messages_out, s.in_flight, s.asked];
}

function inboxRow(e) {
	return [e.entity, e.items, e.octets,
		e.oldest ? timeText(new Date(e.oldest * 1000)) : "–"];
}

// ---- polling ----

async function ask(path) {
	const answer = await fetch(path);

	if (!answer.ok)
		throw new Error(`${path}: ${answer.status}`);
	return answer.json();
}

let before = null;

async function poll() {
	const [now, sessions, inbox] = await Promise.all([ask("/api/status"),
		ask(`/api/sessions?limit=${ROWS}`),
		ask(`/api/inbox?limit=${ROWS}`)]);

	now.at = performance.now();
	showHealth(`${now.draining ? "draining" : "serving"} · version ` +
		`${now.version} · up ${uptimeText(now.uptime)}`, !now.draining);
	showTiles(now, before);
	before = now;
	showCse(now);
	showTable("refusals", Object.entries(now.counters).filter(
		([name, n]) => n > 0 && (BAD.test(name) || BAD_ENDS.test(name)))
		.map(refusalOf));
	showTable("sessions", sessions.sessions
		.sort((a, b) => a.sid - b.sid).map(sessionRow));
	byId("sessions-more").hidden = !sessions.more;
	showTable("inbox", inbox.entities.map(inboxRow));
	byId("inbox-more").hidden = !inbox.more;
}

async function keepPolling() {
	try {
		await poll();
	} catch (error) {
		showHealth(`no answer (${error.message})`, false);
	}
	setTimeout(keepPolling, PERIOD_MS);
}

// ---- views ----

function showView() {
	const id = location.hash === "#workbench" ? "workbench" : "overview";

	for (const view of document.querySelectorAll("[data-view]"))
		view.hidden = view.id !== id;
	for (const link of document.querySelectorAll("nav a"))
		if (link.hash === "#" + id)
			link.setAttribute("aria-current", "page");
		else
			link.removeAttribute("aria-current");
	document.querySelector(".skip").hash = id;
}

function onView() {
	showView();
	document.querySelector("[data-view]:not([hidden]) h2").focus();
}

byId("tiles").append(...tiles.map(createTile));
addEventListener("hashchange", onView);
showView();
keepPolling();

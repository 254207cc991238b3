// An AE in the browser: one WebSocket to the gateway, requests by hand, and
// what the CSE sends down the same socket.

import { byId, el, timeText } from "./dom.js";

const ENTRIES = 200;		// of the log; older ones go
const TOKEN_PREFIX = "base64url.bearer.authorization.m2m.";

// ---- what a primitive looks like on the wire ----

// The text with new white space only: numbers and escapes stay as they came.
function indent(text) {
	const token = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;
	let out = "", depth = 0, last = "";
	const newLine = () => "\n" + "  ".repeat(depth);

	for (const [t] of text.matchAll(token)) {
		const empty = last === "{" || last === "[";

		if (t === "}" || t === "]") {
			depth--;
			out += (empty ? "" : newLine()) + t;
		} else {
			out += (empty || last === "," ? newLine() : "") + t;
		}
		if (t === "{" || t === "[")
			depth++;
		if (t === ":")
			out += " ";
		last = t;
	}
	return out;
}

// By sub-protocol. encode() gets the content as it was typed and throws where
// that is no content; show() makes text of a message for people.
const codecs = {
	"oneM2M.json": {
		encode(parameters, content) {
			const head = JSON.stringify(parameters);

			if (content === "")
				return head;
			JSON.parse(content);
			return `${head.slice(0, -1)},"pc":${content}}`;
		},
		decode: JSON.parse,
		show: indent,
	},
};

// ---- names ----

const operations = ["", "CREATE", "RETRIEVE", "UPDATE", "DELETE", "NOTIFY"];

const types = [["1", "accessControlPolicy"], ["2", "AE"], ["3", "container"],
	["4", "contentInstance"], ["9", "group"], ["15", "pollingChannel"],
	["16", "remoteCSE"], ["23", "subscription"], ["28", "flexContainer"]];

const results = {
	1000: "ACCEPTED", 1001: "ACCEPTED", 1002: "ACCEPTED",
	2000: "OK", 2001: "CREATED", 2002: "DELETED", 2004: "UPDATED",
	4000: "BAD_REQUEST", 4001: "RELEASE_VERSION_NOT_SUPPORTED",
	4004: "NOT_FOUND", 4005: "OPERATION_NOT_ALLOWED",
	4008: "REQUEST_TIMEOUT", 4015: "UNSUPPORTED_MEDIA_TYPE",
	4103: "ORIGINATOR_HAS_NO_PRIVILEGE", 4105: "CONFLICT",
	4106: "ORIGINATOR_NOT_AUTHENTICATED", 5000: "INTERNAL_SERVER_ERROR",
	5001: "NOT_IMPLEMENTED", 5103: "TARGET_NOT_REACHABLE",
	5105: "RECEIVER_HAS_NO_PRIVILEGE", 5207: "NOT_ACCEPTABLE",
};

// ---- the log ----

function log(kind, title, summary, text) {
	const list = byId("log");
	const head = [el("strong", {}, title), " ",
		el("span", { class: "what" }, summary), " ",
		el("time", {}, timeText(new Date()))];

	list.prepend(el("li", { class: "entry " + kind }, text === undefined ?
		el("p", {}, ...head) :
		el("details", kind === "reply" ? {} : { open: "" },
			el("summary", {}, ...head),
			el("pre", { tabindex: "0", "aria-label": title }, text))));
	while (list.children.length > ENTRIES)
		list.lastElementChild.remove();
	byId("log-empty").hidden = true;
}

// ---- the WebSocket ----

let socket = null;		// null: not connected, nor about to be
let codec = null;		// of that
const waiting = new Map();	// rqi -> when it was sent
const batch = Math.random().toString(36).slice(2, 8);
let count = 0;

function showState(text, good) {
	byId("state").textContent = text;
	byId("state").className = good ? "pill good" : "pill";
	byId("connect").textContent = socket === null ? "Connect" :
		"Disconnect";
}

function tokenProtocol(token) {
	const octets = new TextEncoder().encode(token);

	return TOKEN_PREFIX + btoa(String.fromCharCode(...octets))
		.replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
}

function onAnswer(prim, text) {
	const since = waiting.get(prim.rqi);
	const took = since === undefined ? "" :
		` · ${(performance.now() - since).toFixed(1)} ms`;
	const name = results[prim.rsc] ?? "";

	waiting.delete(prim.rqi);
	log(prim.rsc >= 4000 ? "answer failed" : "answer", "← Answer",
		`${prim.rsc} ${name}${took}`, text);
	if (byId("originator").value === "" && prim.pc?.["m2m:ae"]?.aei)
		byId("originator").value = prim.pc["m2m:ae"].aei;
}

function onRequest(prim, text) {
	const sgn = prim.pc?.["m2m:sgn"];
	const reply = codec.encode({ rsc: 2000, rqi: prim.rqi,
		rvi: prim.rvi ?? byId("release").value }, "");

	if (sgn?.vrq)
		log("notification", "← Verification", `of ${sgn.sur}`, text);
	else if (sgn)
		log("notification", "← Notification", `of ${sgn.sur}`, text);
	else
		log("notification", `← ${operations[prim.op] ?? "Request"}`,
			`to ${prim.to}`, text);
	socket.send(reply);
	log("reply", "→ Reply", "2000 OK", codec.show(reply));
}

function onMessage(data) {
	let prim;

	try {
		prim = codec.decode(data);
		if (prim.rsc === undefined)
			onRequest(prim, codec.show(data));
		else
			onAnswer(prim, codec.show(data));
	} catch (error) {
		log("failed", "← No primitive", error.message, String(data));
	}
}

function onClose(event, wasOpen) {
	socket = null;
	waiting.clear();
	showState("not connected", false);
	if (wasOpen)
		log("note", "Closed", `${event.code} ${event.reason}`);
	else
		log("note failed", "Not connected", "nobody is there, or the " +
			"handshake was refused (a browser does not tell)");
}

// Resolves when it is open, or has failed.
function connect() {
	const name = byId("subprotocol").value, token = byId("token").value;
	const protocols = token === "" ? [name] : [tokenProtocol(token), name];
	const mine = new WebSocket(byId("url").value, protocols);

	socket = mine;
	codec = codecs[name];
	mine.binaryType = "arraybuffer";
	showState("connecting …", false);
	return new Promise((resolve) => {
		let wasOpen = false;

		mine.onopen = () => {
			wasOpen = true;
			showState(`connected, ${mine.protocol}`, true);
			log("note", "Connected", mine.url);
			resolve();
		};
		mine.onmessage = (event) => onMessage(event.data);
		mine.onclose = (event) => {
			onClose(event, wasOpen);
			resolve();
		};
	});
}

// ---- the form ----

class Mistake extends Error {
	constructor(id, text) {
		super(text);
		this.id = id;
	}
}

function readOthers() {
	const text = byId("others").value.trim();
	let others = {};

	try {
		if (text !== "")
			others = JSON.parse(text);
	} catch (error) {
		throw new Mistake("others", `Other parameters: ${error.message}`);
	}
	if (typeof others !== "object" || others === null ||
	    Array.isArray(others))
		throw new Mistake("others", "Other parameters: not an object");
	return others;
}

function readParameters() {
	const op = Number(byId("operation").value);
	const from = byId("originator").value.trim();
	const type = byId("type").value;

	return Object.assign({ op, to: byId("target").value.trim() },
		from === "" ? {} : { fr: from },
		{ rqi: `${batch}-${++count}`, rvi: byId("release").value },
		op === 1 && type !== "" ? { ty: Number(type) } : {},
		readOthers());
}

function encode(parameters) {
	try {
		return codecs[byId("subprotocol").value].encode(parameters,
			byId("content").value.trim());
	} catch (error) {
		throw new Mistake("content", `Content: ${error.message}`);
	}
}

async function send() {
	const parameters = readParameters();
	const message = encode(parameters);

	if (socket === null)
		await connect();
	if (socket === null || socket.readyState !== WebSocket.OPEN)
		return;
	waiting.set(parameters.rqi, performance.now());
	log("request", `→ ${operations[parameters.op]}`,
		`to ${parameters.to}`, codec.show(message));
	socket.send(message);
}

// What the person can put right is told beside the form.
async function attempt(work) {
	for (const field of document.querySelectorAll("[aria-invalid]"))
		field.removeAttribute("aria-invalid");
	byId("mistake").textContent = "";
	try {
		await work();
	} catch (error) {
		const field = byId(error.id ?? "url");

		byId("mistake").textContent = error.message;
		field.setAttribute("aria-invalid", "true");
		field.focus();
	}
}

// ---- templates ----

const templates = {
	"Register AE": (t) => ({ op: 1, to: t.base, ty: 2, pc: { "m2m:ae": {
		rn: t.name, api: "N.example.workbench", rr: true,
		srv: [t.release] } } }),
	"Container": (t) => ({ op: 1, to: t.home, ty: 3, pc: { "m2m:cnt": {
		rn: "data", mni: 100 } } }),
	"Subscription": (t) => ({ op: 1, to: t.home + "/data", ty: 23, pc: {
		"m2m:sub": { rn: "watch", nu: [t.originator],
			enc: { net: [3] } } } }),
	"Instance": (t) => ({ op: 1, to: t.home + "/data", ty: 4, pc: {
		"m2m:cin": { con: "21.5" } } }),
	"Retrieve": (t) => ({ op: 2, to: t.home + "/data/la" }),
	"Discovery": (t) => ({ op: 2, to: t.base, others: { fc: { fu: 1 } } }),
	"Delete AE": (t) => ({ op: 4, to: t.home }),
};

function fill(template) {
	const originator = byId("originator").value.trim();
	const base = byId("base").value.trim();
	const name = originator.replace(/^.*\//, "").replace(/^[CS]/, "")
		.replaceAll(/[^A-Za-z0-9._-]/g, "") || "workbench";
	const t = template({ originator, base, name, home: `${base}/${name}`,
		release: byId("release").value });

	byId("operation").value = t.op;
	byId("target").value = t.to;
	byId("type").value = t.ty ?? "";
	byId("others").value = t.others ? JSON.stringify(t.others) : "";
	byId("content").value = t.pc ? JSON.stringify(t.pc, null, 2) : "";
	byId("send").focus();
}

function addTemplate([name, template]) {
	const button = el("button", { type: "button" }, name);

	button.onclick = () => fill(template);
	byId("templates").append(button);
}

// ---- start ----

// The first listener, at the host that this page came from.
async function findUrl() {
	const answer = await fetch("/api/status");
	const [first] = (await answer.json()).listeners;

	if (first !== undefined && byId("url").value === "")
		byId("url").value = `${first.tls ? "wss" : "ws"}://` +
			`${location.hostname}:${first.port}/`;
}

byId("subprotocol").append(...Object.keys(codecs).map((name) =>
	el("option", {}, name)));
byId("type").append(el("option", { value: "" }, "–"),
	...types.map(([n, name]) => el("option", { value: n }, `${n} ${name}`)));
byId("originator").value = "C" + batch;
Object.entries(templates).forEach(addTemplate);

byId("connect").onclick = () => attempt(() => {
	if (socket === null)
		return connect();
	socket.close(1000);
});
byId("request").onsubmit = (event) => {
	event.preventDefault();
	attempt(send);
};
byId("content").onkeydown = (event) => {
	if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
		byId("request").requestSubmit();
};
byId("clear").onclick = () => {
	byId("log").replaceChildren();
	byId("log-empty").hidden = false;
};
findUrl().catch(() => {});	// then it is typed

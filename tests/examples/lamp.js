// A lamp as an AE, with node's ws package (Debian: node-ws): it registers,
// reports that it is off, and waits until somebody switches it on.
//
//	node lamp.js [URL [NAME]]	ws://127.0.0.1:8180/ lamp
"use strict";

const WebSocket = require("ws");

const [url = "ws://127.0.0.1:8180/", name = "lamp"] = process.argv.slice(2);
const id = "C" + name;
const me = "cse-in/" + name;
const socket = new WebSocket(url, "oneM2M.json");
const answers = new Map();	// by rqi: who waits
let onEvent;

function send(prim) {
	socket.send(JSON.stringify({ rvi: "3", ...prim }));
}

function ask(op, to, want, more) {
	const rqi = String(ask.last = (ask.last || 0) + 1);

	send({ op, to, fr: id, rqi, rcn: 0, ...more });
	return new Promise((resolve, reject) => answers.set(rqi, (answer) => {
		if (answer.rsc === want)
			resolve(answer);
		else
			reject(new Error(to + ": " + JSON.stringify(answer)));
	}));
}

function create(to, ty, pc) {
	return ask(1, to, 2001, { ty, pc });
}

// A request is answered: it has arrived.
socket.on("message", (data) => {
	const prim = JSON.parse(data);

	if (prim.op === undefined) {
		answers.get(prim.rqi)?.(prim);
		answers.delete(prim.rqi);
		return;
	}
	send({ rsc: 2000, rqi: prim.rqi });
	const event = prim.pc?.["m2m:sgn"]?.nev;
	if (event)
		onEvent(event.rep["m2m:cin"].con);
});

async function live() {
	const heard = new Promise((resolve) => onEvent = resolve);

	await create("cse-in", 2, { "m2m:ae": {
		rn: name, api: "N.lamp", rr: true, srv: ["3"] } });
	console.log("registered", id);
	await create(me, 3, { "m2m:cnt": { rn: "switch" } });
	await create(me + "/switch", 4, { "m2m:cin": { con: "off" } });
	console.log("reported off");
	await create(me + "/switch", 23, { "m2m:sub": {
		nu: [id], enc: { net: [3] } } });
	console.log("listening");
	console.log("heard", await heard);
	await ask(4, me, 2002);
	console.log("gone");
	socket.close(1000);
}

function fail(error) {
	console.error(String(error));
	process.exit(1);
}

socket.on("error", fail);
socket.on("open", () => live().catch(fail));

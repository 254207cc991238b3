// usage: node echo_node.js URL SIZE...
// Sends a text message, a binary one and a fragmented one with pings between
// for each size, and wants them back.
"use strict";

const crypto = require("crypto");
const WebSocket = require("ws");

const socket = new WebSocket(process.argv[2], { perMessageDeflate: false });
const sizes = process.argv.slice(3).map(Number);
let take = null;

socket.on("message", (data, binary) => take({
	data: Buffer.from(data),
	// before release 8 a text message came as a string, without a flag
	binary: binary === undefined ? typeof data !== "string" : binary,
}));

function echoed(send) {
	return new Promise((resolve) => {
		take = resolve;
		send();
	});
}

function sendFragments(payload) {
	const step = Math.max(1, Math.ceil(payload.length / 20));

	for (let at = 0; at < payload.length; at += step) {
		socket.send(payload.subarray(at, at + step), {
			fin: at + step >= payload.length, binary: true });
		socket.ping("between");
	}
	if (payload.length === 0)
		socket.send(payload, { binary: true });
}

async function check(what, payload, binary, send) {
	const got = await echoed(send);

	if (got.binary !== binary || !got.data.equals(payload))
		throw new Error(what + " " + payload.length + " came back changed");
}

async function run() {
	let count = 0;

	for (const size of sizes) {
		const binary = crypto.randomBytes(size);
		const text = Buffer.from(binary.toString("hex").slice(0, size));

		await check("text", text, false, () =>
			socket.send(text.toString(), { binary: false }));
		await check("binary", binary, true, () =>
			socket.send(binary, { binary: true }));
		await check("fragments", binary, true, () =>
			sendFragments(binary));
		count += 3;
	}
	return count;
}

socket.on("open", () => run().then((count) => {
	socket.on("close", (code) => {
		console.log(count + " echoed");
		process.exit(code === 1000 ? 0 : 1);
	});
	socket.close(1000);
}));
socket.on("error", (err) => {
	console.error(err);
	process.exit(1);
});
process.on("unhandledRejection", (err) => {
	console.error(err);
	process.exit(1);
});

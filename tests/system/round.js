// One round of an AE against a CSE, written for the browser's WebSocket
// interface, which node's ws package has, too.
"use strict";

(function (root) {
	const AE = "Cround";

	// Sends primitives and resolves with their answers, by rqi.
	class Originator {
		constructor(socket) {
			this.socket = socket;
			this.waiting = new Map();
			this.next = 0;
			socket.onmessage = (event) => this.onMessage(event.data);
		}

		onMessage(data) {
			const answer = JSON.parse(data);
			const resolve = this.waiting.get(answer.rqi);

			if (resolve === undefined)
				throw new Error("answer to nothing: " + data);
			this.waiting.delete(answer.rqi);
			resolve(answer);
		}

		ask(primitive) {
			const rqi = "j-" + ++this.next;

			this.socket.send(JSON.stringify(
				Object.assign({ fr: AE, rvi: "3", rqi }, primitive)));
			return new Promise((resolve) =>
				this.waiting.set(rqi, resolve));
		}
	}

	function opened(socket) {
		return new Promise((resolve, reject) => {
			socket.onopen = resolve;
			socket.onclose = (event) =>
				reject(new Error("closed with " + event.code));
			socket.onerror = () => {};
		});
	}

	function closed(socket) {
		return new Promise((resolve) => {
			socket.onclose = (event) =>
				resolve([event.code, event.wasClean]);
			socket.close(1000, "done");
		});
	}

	// The result is what the test compares.
	async function round(WebSocket, url, subprotocol) {
		const socket = new WebSocket(url, subprotocol);
		const got = [];
		const con = "021.50 \u00b0C \u6e29\u5ea6 \ud83c\udf21 \"\\/\"\n";

		await opened(socket);
		got.push(socket.protocol);
		const ae = new Originator(socket);
		const step = async (primitive, look) => {
			const answer = await ae.ask(primitive);

			got.push([answer.rsc, look ? look(answer.pc) : null]);
		};
		await step({ op: 1, to: "cse-in", ty: 2, fr: AE, pc: { "m2m:ae": {
			rn: "round", api: "Nround", rr: false, srv: ["3"] } } },
			(pc) => pc["m2m:ae"].rn);
		await step({ op: 1, to: "cse-in/round", ty: 3, pc: { "m2m:cnt": {
			rn: "temp", mni: 5 } } }, (pc) => pc["m2m:cnt"].mni);
		await step({ op: 1, to: "cse-in/round/temp", ty: 4, pc: {
			"m2m:cin": { con } } },
			(pc) => pc["m2m:cin"].con === con);
		await step({ op: 2, to: "cse-in/round/temp/la" },
			(pc) => pc["m2m:cin"].con === con);
		await step({ op: 2, to: "cse-in/round/none" });
		await step({ op: 4, to: "cse-in/round/temp" });
		await step({ op: 2, to: "cse-in/round/temp" });
		const all = await Promise.all(Array.from({ length: 32 },
			() => ae.ask({ op: 2, to: "cse-in" })));
		got.push(all.map((answer) => answer.rsc));
		await step({ op: 4, to: "cse-in/round" });
		got.push(await closed(socket));
		return got;
	}

	if (typeof module !== "undefined")
		module.exports = round;
	else
		root.round = round;
})(typeof self !== "undefined" ? self : this);

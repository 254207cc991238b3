// An AE that is reached over its own WebSocket, written for the browser's
// interface, which node's ws package has, too. It registers as AE, subscribes
// to its own container for itself and for OTHER, and tells what it heard: on
// the socket that registered, after a reconnect, after a restart of the daemon.
"use strict";

(function (root) {
	const TRIES = 200, PAUSE_MS = 100;

	function pause(ms) {
		return new Promise((resolve) => setTimeout(resolve, ms));
	}

	class Entity {
		constructor(name, heard) {
			this.name = name;
			this.heard = heard;
			this.answers = new Map();
			this.watchers = [];
			this.next = 0;
		}

		// One try after the other: the daemon may just be restarting.
		async connect(WebSocket, url) {
			for (let i = 0; i < TRIES; i++) {
				const socket = new WebSocket(url, "oneM2M.json");

				if (await this.opened(socket))
					return;
				await pause(PAUSE_MS);
			}
			throw new Error("cannot connect");
		}

		opened(socket) {
			return new Promise((resolve) => {
				socket.onerror = () => {};
				socket.onclose = () => resolve(false);
				socket.onmessage = (m) => this.onMessage(m.data);
				socket.onopen = () => {
					this.socket = socket;
					this.closed = new Promise((done) => {
						socket.onclose = done;
					});
					resolve(true);
				};
			});
		}

		onMessage(data) {
			const prim = JSON.parse(data);

			if (prim.rsc !== undefined) {
				this.answers.get(prim.rqi)(prim);
				this.answers.delete(prim.rqi);
				return;
			}
			const sgn = prim.pc["m2m:sgn"];
			const what = sgn.vrq ? "vrq" :
				sgn.nev.rep["m2m:cin"].con;

			this.heard.push(what);
			this.socket.send(JSON.stringify({ rsc: 2000,
				rqi: prim.rqi, rvi: "3" }));
			this.watchers.forEach((look) => look());
		}

		ask(primitive) {
			const rqi = this.name + ++this.next;

			this.socket.send(JSON.stringify(Object.assign(
				{ fr: this.name, rvi: "3", rqi }, primitive)));
			return new Promise((resolve) =>
				this.answers.set(rqi, resolve));
		}

		async must(rsc, primitive) {
			const answer = await this.ask(primitive);

			if (answer.rsc !== rsc)
				throw new Error(JSON.stringify(answer));
		}

		until(what) {
			return new Promise((resolve) => {
				const look = () => this.heard.includes(what) &&
					resolve();

				this.watchers.push(look);
				look();
			});
		}

		report(con) {
			return this.must(2001, { op: 1, ty: 4,
				to: "cse-in/" + this.name + "/temp",
				pc: { "m2m:cin": { con } } });
		}
	}

	async function register(ae, other) {
		const home = "cse-in/" + ae.name;

		await ae.must(2001, { op: 1, to: "cse-in", ty: 2, pc: {
			"m2m:ae": { rn: ae.name, api: "Nlisten", rr: true,
				srv: ["3"], poa: ["ws://default"] } } });
		await ae.must(2001, { op: 1, to: home, ty: 3, pc: {
			"m2m:cnt": { rn: "temp" } } });
		await ae.must(2001, { op: 1, to: home + "/temp", ty: 23, pc: {
			"m2m:sub": { rn: "own", nu: ["ws://default"],
				enc: { net: [3], chty: [4] } } } });
		await ae.must(2001, { op: 1, to: home + "/temp", ty: 23, pc: {
			"m2m:sub": { rn: "other", nu: [other],
				enc: { net: [3], chty: [4] } } } });
	}

	// The result is what the test compares.
	async function listen(WebSocket, url, name, other) {
		const heard = [], ae = new Entity(name, heard);
		const back = { op: 2, to: name };

		await ae.connect(WebSocket, url);
		await register(ae, other);
		await ae.report("1");
		await ae.until("1");
		await ae.until("from-other");
		ae.socket.close(1000);
		await ae.closed;
		await ae.connect(WebSocket, url);
		await ae.must(2000, back);
		await ae.report("2");
		await ae.until("2");
		await ae.report("restart");
		await ae.until("restart");
		ae.report("now").catch(() => {});	// nobody may answer
		await ae.closed;
		await ae.connect(WebSocket, url);
		await ae.must(2000, back);
		await ae.report("3");
		await ae.until("3");
		return heard.filter((what) => what !== "now");
	}

	if (typeof module !== "undefined")
		module.exports = listen;
	else
		root.listen = listen;
})(typeof self !== "undefined" ? self : this);

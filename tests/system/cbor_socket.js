// node's ws with the cbor package below the interface that round.js and
// listen.js use: they say and hear JSON, the wire has CBOR.
"use strict";

const cbor = require("cbor");
const WebSocket = require("ws");

class CborSocket extends WebSocket {
	constructor(url, subprotocol) {
		super(url, subprotocol.replace(/json$/i, "cbor"));
		this.binaryType = "nodebuffer";
	}

	send(text) {
		super.send(cbor.encode(JSON.parse(text)));
	}

	set onmessage(listener) {
		super.onmessage = (event) => {
			if (!Buffer.isBuffer(event.data))
				throw new Error("CBOR as text");
			listener({ data: JSON.stringify(
				cbor.decodeFirstSync(event.data)) });
		};
	}
}

module.exports = CborSocket;

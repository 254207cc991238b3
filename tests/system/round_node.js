// usage: node round_node.js URL SUBPROTOCOL; prints the result of round.js
"use strict";

const kind = /cbor$/i.test(process.argv[3]) ? "./cbor_socket.js" : "ws";
const WebSocket = require(kind);
const round = require("./round.js");

round(WebSocket, process.argv[2], process.argv[3]).then(
	(got) => console.log(JSON.stringify(got)),
	(err) => {
		console.error(err);
		process.exit(1);
	});

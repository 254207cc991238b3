// usage: node round_node.js URL SUBPROTOCOL; prints the result of round.js
"use strict";

const WebSocket = require("ws");
const round = require("./round.js");

round(WebSocket, process.argv[2], process.argv[3]).then(
	(got) => console.log(JSON.stringify(got)),
	(err) => {
		console.error(err);
		process.exit(1);
	});

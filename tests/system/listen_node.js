// usage: node listen_node.js URL AE-ID OTHER; prints the result of listen.js
"use strict";

const WebSocket = require("ws");
const listen = require("./listen.js");

listen(WebSocket, ...process.argv.slice(2)).then(
	(heard) => {
		console.log(JSON.stringify(heard));
		process.exit(0);
	},
	(err) => {
		console.error(err);
		process.exit(1);
	});

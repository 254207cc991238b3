// usage: node listen_node.js URL AE-ID OTHER [cbor]; prints the result of
// listen.js
"use strict";

const [url, name, other, kind] = process.argv.slice(2);
const WebSocket = require(kind === "cbor" ? "./cbor_socket.js" : "ws");
const listen = require("./listen.js");

listen(WebSocket, url, name, other).then(
	(heard) => {
		console.log(JSON.stringify(heard));
		process.exit(0);
	},
	(err) => {
		console.error(err);
		process.exit(1);
	});

// What comes from the network gets into the page here only, and as text.

export const byId = (id) => document.getElementById(id);

// Children that are not nodes become text.
export function el(name, attributes = {}, ...children) {
	const node = document.createElement(name);

	for (const [key, value] of Object.entries(attributes))
		node.setAttribute(key, value);
	node.append(...children);
	return node;
}

export function svg(name, attributes, ...children) {
	const node = document.createElementNS("http://www.w3.org/2000/svg",
		name);

	for (const [key, value] of Object.entries(attributes))
		node.setAttribute(key, value);
	node.append(...children);
	return node;
}

// A time of today without its date.
export function timeText(date) {
	return date.toDateString() === new Date().toDateString() ?
		date.toLocaleTimeString() : date.toLocaleString();
}

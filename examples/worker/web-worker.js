import { links } from "./sign.js";

// A page's Web Worker gives its secrets to every user of the page: do this only with the user's own keys.
self.onmessage = ({ data }) => self.postMessage(links(data));

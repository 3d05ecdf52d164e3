import { links } from "./sign.js";

// In a page's Web Worker the secrets are in the hands of whoever has the page: do this only with keys of the user's own.
self.onmessage = ({ data }) => self.postMessage(links(data));

import { register } from "node:module";

// `node --import` runs this before the program: from then on one module of the gateway is another.
register(new URL("resolve.js", import.meta.url));

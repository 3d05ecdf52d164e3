import * as module from "node:module";
import { resolve } from "./resolve.js";

// `node --import` runs this before the program: from then on one module of the gateway is another. Node 20 knows `register`
// alone, and newer ones warn of it.
const { registerHooks } = module as { readonly registerHooks?: (hooks: { readonly resolve: typeof resolve }) => void };
if (registerHooks === undefined) module.register(new URL("resolve.js", import.meta.url));
else registerHooks({ resolve });

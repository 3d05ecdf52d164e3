import * as module from "node:module";
import { load } from "./source-hooks.mjs";

// `register` warns since Node 26, on the standard error that the tests compare; Node 20 has nothing else.
if ("registerHooks" in module) module.registerHooks({ load });
else module.register("./source-hooks.mjs", import.meta.url);

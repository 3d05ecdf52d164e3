#!/usr/bin/env node
// npm links a command at installation, and only to an existing file. A clone has no `dist/` yet.
import module from "node:module";
import { fileURLToPath } from "node:url";

// Inside the package: a user who can write the cache can change the program anyway. Node's default is a shared temporary folder.
module.enableCompileCache?.(fileURLToPath(new URL("../dist/.compile-cache", import.meta.url)));
await import("../dist/main.js");

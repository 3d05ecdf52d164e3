#!/usr/bin/env node
// npm links a command at installation, and only to an existing file. A clone has no `dist/` yet.
import "../dist/main.js";

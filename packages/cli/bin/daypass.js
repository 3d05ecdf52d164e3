#!/usr/bin/env node
// npm links a command when it installs, and only to a file that is there: in a clone `dist/` comes later.
import "../dist/main.js";

// What Windows has otherwise, as far as the command meets it: the name of the platform, and folders that cannot be flushed.
import fs from "node:fs";
import { open } from "node:fs/promises";

Object.defineProperty(process, "platform", { value: "win32" });
process.getuid = undefined;
const handle = await open(new URL(import.meta.url));
const handles = Object.getPrototypeOf(handle);
const { sync } = handles;
handles.sync = async function () {
  if (!fs.fstatSync(this.fd).isDirectory()) return sync.call(this);
  throw Object.assign(new Error("EPERM: operation not permitted, fsync"), { code: "EPERM", syscall: "fsync" });
};
await handle.close();

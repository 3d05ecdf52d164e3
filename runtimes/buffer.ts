// Where there is no Node its Buffer is missing, which tests use to write bytes down. The library itself never does there.
export { Buffer } from "buffer/index.js";

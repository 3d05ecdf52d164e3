/** A bucket or an object in words. `bucket` is the bucket in the host; if absent, the path begins with the bucket. */
export function bucketResource(bucket: string | undefined, path: string): string {
  const [, first = "", rest = ""] = /^\/([^/]*)\/?([\s\S]*)$/.exec(path) ?? [];
  const object = bucket === undefined ? rest : path.slice(1);
  const where = `bucket ${bucket ?? first}`;
  return object === "" ? where : `object ${object} in ${where}`;
}

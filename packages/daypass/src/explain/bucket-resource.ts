/** A bucket, or an object in it, in words. `bucket` is the one that the host names; elsewhere it is the first part of the path. */
export function bucketResource(bucket: string | undefined, path: string): string {
  const [, first = "", rest = ""] = /^\/([^/]*)\/?([\s\S]*)$/.exec(path) ?? [];
  const object = bucket === undefined ? rest : path.slice(1);
  const where = `bucket ${bucket ?? first}`;
  return object === "" ? where : `object ${object} in ${where}`;
}

// Validates AsyncAPI documents with the official parser. Usage: node asyncapi_judge.mjs FILE…; exit 1 on any finding.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
let found = 0;
for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(await readFile(file, "utf8"), { source: file });
  // 0 error, 1 warning; below are hints, such as that a newer version of the standard exists.
  const serious = diagnostics.filter((one) => one.severity <= 1);
  for (const one of serious) {
    console.log(`${file}:${one.range.start.line + 1}: ${one.code} ${one.path.join(".")}: ${one.message}`);
  }
  if (!document) console.log(`${file}: no document`);
  else console.log(`${file}: ${document.allChannels().all().length} channels, ${document.allOperations().all().length} operations`);
  found += serious.length + (document ? 0 : 1);
}
process.exit(found ? 1 : 0);

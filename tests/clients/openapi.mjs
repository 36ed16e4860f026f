// Judges the description of the API, with validators that nobody here wrote. Reads
// {"document", "answers": [{"name", "schema": JSON pointer into the document, "body"}]} from stdin;
// writes {"document": [errors of the document], "answers": {name: [errors]}}.
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const told = JSON.parse(readFileSync(0, 'utf8'));

// Calls `see` with every object and list of the document.
function walk(value, see) {
  if (value === null || typeof value !== 'object') return;
  see(value);
  for (const inner of Object.values(value)) walk(inner, see);
}

// A property that the document does not name is an error here: so it cannot lag behind the code.
function close(document) {
  // What other schemas are made of is closed where it is used.
  const parts = new Set();
  walk(document, (value) => (Array.isArray(value.allOf) ? value.allOf : []).forEach((part) => parts.add(document.components.schemas[part.$ref.split('/').pop()])));
  walk(document, (value) => {
    if (value.type !== 'object' || 'additionalProperties' in value || parts.has(value)) return;
    if (value.allOf) value.unevaluatedProperties = false;
    else if (value.properties) value.additionalProperties = false;
  });
}

const judged = await new Validator().validate(structuredClone(told.document));
const version = told.document.openapi;
close(told.document);
const ajv = new Ajv2020.default({ strict: false, allErrors: true, validateFormats: true });
addFormats.default(ajv);
ajv.addSchema({ ...told.document, $id: 'https://segue.invalid/api' });
const answers = {};
for (const { name, schema, body } of told.answers) {
  const validate = ajv.compile({ $ref: `https://segue.invalid/api#${schema}` });
  answers[name] = validate(body) ? [] : validate.errors.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
}
console.log(JSON.stringify({ version, document: judged.valid ? [] : [].concat(judged.errors), answers }));

// Lets the conformance suite, which wants Node 22, run on Node 20: what it lacks is used by no client scenario.
import { register } from 'node:module';

const module = source => 'data:text/javascript,' + encodeURIComponent(source);
const fs = module("export * from 'node:fs'; export { default } from 'node:fs'; export const globSync = () => [];");
register(
  module(`export const resolve = (name, context, next) =>
    name === 'fs' && context.parentURL?.includes('/conformance/dist/')
      ? { url: ${JSON.stringify(fs)}, shortCircuit: true }
      : next(name, context);`)
);

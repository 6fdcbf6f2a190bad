/**
 * The module `node:http`, as `require` gives it. An `import` reads every export of the module at once. One of
 * them is the WebSocket of `fetch`, and Node then loads all of `fetch`: a tenth of the CPU with which a node
 * starts.
 */
export const nodeHttp = process.getBuiltinModule('node:http')

/** What is different in a process when the library has been imported. One JSON line. */
const seen = () => ({
  globals: Reflect.ownKeys(globalThis).map(String),
  listeners: process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`),
  environment: JSON.stringify(process.env),
  prototypes: [Object, Array, Promise, Map, Symbol].map(({ prototype }) => Reflect.ownKeys(prototype).length),
})
const before = seen()
await import('millrace')
await import('millrace/testing')
const after = seen()
const changed = Object.keys(before).filter((part) => JSON.stringify(before[part]) !== JSON.stringify(after[part]))
// What loading itself leaves behind is gone after a turn.
await new Promise((resolve) => setTimeout(resolve, 1))
const left = process.getActiveResourcesInfo().filter((kind) => !/^(PipeWrap|TTYWrap|Timeout|CloseReq)$/.test(kind))
console.log(JSON.stringify({ changed, left }))

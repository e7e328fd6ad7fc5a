/** What the followed job does with a record, a rule and a timer. Only state that survives tells it what was before. */
import { ListStateDescriptor, MapStateDescriptor, OutputTag, ValueStateDescriptor } from 'millrace'
import { FAREWELL_MS, noteOf, TICKET_EVERY, ticketDelayMs, windowEnd } from './followed-input.mjs'
import { link } from './input.mjs'

/** Of a row; `kind` is event, window, ticket, farewell or rule. */
export const COLUMNS = ['kind', 'key', 'n', 'chain', 'at', 'rule', 'rules', 'nth', 'subtask', 'parallelism', 'note']
export const late = new OutputTag('late')
export const newest = new MapStateDescriptor('newest rule')
const NO_RULE = { version: 0, chain: 0 }

/** Which record of its file each one is. Any subtask may get any file: all of them know the counts of all. */
export const numbering = (fault) => () => {
  const counts = new Map()
  let stored
  return {
    initializeState(context) {
      stored = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor('counts'))
      if (fault === 'forget-union') return
      for (const [file, count] of [...stored.get()].flat()) counts.set(file, Math.max(count, counts.get(file) ?? 0))
    },
    snapshotState() {
      // One element a subtask: dealt out like splits instead, the counts would not follow their files.
      stored.update([[...counts]])
    },
    processElement(record, _, out) {
      if (record.mark === true) return
      const nth = (counts.get(record.file) ?? 0) + 1
      counts.set(record.file, nth)
      out.collect({ ...record, nth })
    },
  }
}

/**
 * For each record a row with the chain of its key; for each window, ticket and key a row by a timer; for each rule a row in
 * every subtask.
 */
export const answering = (fault) => (context) => {
  const total = context.getState(new ValueStateDescriptor('total', { default: () => ({ count: 0, chain: 0 }) }))
  const windows = context.getMapState(new MapStateDescriptor('windows'))
  /** Behind a restart watermarks begin anew: what was answered before must not be answered again. */
  const answered = context.getState(new ValueStateDescriptor('answered', { default: () => 0 }))
  const tickets = context.getMapState(new MapStateDescriptor('tickets'))
  const place = { subtask: context.indexOfThisSubtask, parallelism: context.numberOfParallelSubtasks }
  const row = (kind, key, fields) => ({ kind, key, rule: 0, rules: 0, nth: 0, note: '', ...place, ...fields })
  /** Of this life: a job that drops timers has only these. */
  const registered = new Set()
  const dropped = (key, ms) => fault === 'drop-timers' && !registered.has(`${key}/${ms}`)
  return {
    processElement({ key, value, at, nth }, context, out) {
      const before = total.value()
      const n = before.count + 1
      const chain = link(before.chain, value)
      total.update({ count: n, chain })
      const rule = context.getBroadcastState(newest).get('newest') ?? NO_RULE
      out.collect(row('event', key, { n, chain, at, rule: rule.version, rules: rule.chain, nth, note: noteOf(value) }))

      const timers = context.timerService()
      const end = windowEnd(at)
      const watermark = Math.max(0, timers.currentWatermark())
      if (end <= Math.max(watermark, answered.value()))
        context.output(late, { key, n, at, watermark, answered: answered.value() })
      else {
        const window = windows.get(end) ?? { count: 0, chain: 0 }
        windows.set(end, { count: window.count + 1, chain: link(window.chain, value) })
        timers.registerEventTimeTimer(end)
        registered.add(`${key}/${end}`)
      }
      timers.deleteEventTimeTimer(FAREWELL_MS + before.count)
      timers.registerEventTimeTimer(FAREWELL_MS + n)
      registered.add(`${key}/${FAREWELL_MS + n}`)
      if (n % TICKET_EVERY === 0) {
        const due = timers.currentProcessingTime() + ticketDelayMs(value)
        tickets.set(due, [...(tickets.get(due) ?? []), { n, chain }])
        timers.registerProcessingTimeTimer(due)
        registered.add(`${key}/${due}`)
      }
    },
    processBroadcastElement({ version, value }, context, out) {
      const state = context.getBroadcastState(newest)
      const chain = link((state.get('newest') ?? NO_RULE).chain, value)
      state.set('newest', { version, chain })
      out.collect(row('rule', 'rule', { n: version, chain, at: 0 }))
    },
    onTimer(at, context, out) {
      const key = context.getCurrentKey()
      if (dropped(key, at)) return
      if (context.timeDomain() === 'processing-time') {
        for (const { n, chain } of tickets.get(at) ?? []) out.collect(row('ticket', key, { n, chain, at }))
        tickets.delete(at)
      } else if (at >= FAREWELL_MS) {
        const { count, chain } = total.value()
        out.collect(row('farewell', key, { n: count, chain, at }))
      } else {
        const { count, chain } = windows.get(at)
        windows.delete(at)
        answered.update(at)
        out.collect(row('window', key, { n: count, chain, at }))
      }
    },
  }
}

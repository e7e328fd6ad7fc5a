/**
 * Earthquake swarms in a week of real measurements: ten quakes or more near one town, no two neighbours more than six
 * hours apart. The records come in the order in which the observatories published them, up to a week behind the ground:
 * event time with much disorder, sessions closed by timers, and what is too late goes to a side output.
 *
 * millrace run examples/quakes/job.ts
 */
import { readFileSync } from 'node:fs'
import { ListStateDescriptor, OutputTag, StreamExecutionEnvironment, WatermarkStrategy } from 'millrace'

const HOUR = 3_600_000
const GAP = 6 * HOUR
const FEWEST = 10

interface Quake {
  readonly town: string
  readonly time: number
  readonly magnitude: number
}
interface Feature {
  readonly properties: {
    readonly place: string
    readonly mag: number
    readonly time: number
    readonly updated: number
    readonly type: string
  }
}

const week = new URL('../../node_modules/vega-datasets/data/earthquakes.json', import.meta.url)
const { features }: { features: Feature[] } = JSON.parse(readFileSync(week, 'utf8'))
const asPublished = features.map((feature) => feature.properties).sort((a, b) => a.updated - b.updated)

const late = new OutputTag<Quake>('late')
const text = (time: number) => new Date(time).toISOString().slice(5, 16).replace('T', ' ')

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const swarms = env
  .fromData(asPublished)
  .uid('published')
  .filter(({ type }) => type === 'earthquake')
  .map(({ place, mag, time }): Quake => ({ town: place.replace(/^.* of /, ''), time, magnitude: mag }))
  .assignTimestampsAndWatermarks(
    // A week in a blink: a watermark with each record, where forBoundedOutOfOrderness('2 d') has one every 200 ms.
    WatermarkStrategy.forGenerator<Quake>(
      () => ({
        onEvent: (_, time, out) => out.emitWatermark(time - 48 * HOUR - 1),
        onPeriodicEmit() {},
      }),
      { timestampAssigner: ({ time }) => time },
    ),
  )
  .keyBy(({ town }) => town)
  .process<string>((ctx) => {
    const open = ctx.getListState(new ListStateDescriptor<Quake>('open'))
    return {
      processElement(quake, context) {
        const timers = context.timerService()
        if (quake.time <= timers.currentWatermark()) return context.output(late, quake)
        open.add(quake)
        timers.registerEventTimeTimer(quake.time + GAP)
      },
      onTimer(time, context, out) {
        const quakes = [...open.get()].sort((a, b) => a.time - b.time)
        const last = time - GAP
        if (quakes.some((quake) => quake.time > last && quake.time <= time)) return // it goes on
        const swarm = quakes.filter((quake) => quake.time <= last)
        open.update(quakes.filter((quake) => quake.time > last))
        const first = swarm[0]
        if (first === undefined || swarm.length < FEWEST) return
        const strongest = Math.max(...swarm.map(({ magnitude }) => magnitude))
        const place = context.getCurrentKey().padEnd(22)
        const count = String(swarm.length).padStart(3)
        out.collect(
          `${text(first.time)} to ${text(last)}   ${place} ${count} quakes, strongest ${strongest.toFixed(1)}`,
        )
      },
    }
  })
  .name('swarms')
  .uid('swarms')

swarms.print()
swarms
  .getSideOutput(late)
  .map(() => 1)
  .keyBy(() => 'late')
  .reduce((a, b) => a + b)
  .filter((count) => count % 50 === 0)
  .map((count) => `${count} quakes came more than two days late so far`)
  .print()

await env.execute('swarms')

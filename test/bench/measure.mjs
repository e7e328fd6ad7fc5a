/** What a run cost: wall time, processor time of the process and of the main thread, what other programs used meanwhile. */
import { readFileSync } from 'node:fs'

const linux = process.platform === 'linux'

export function startMeasuring() {
  const wallMs = performance.now()
  const cpu = process.cpuUsage()
  const thread = mainThreadSeconds()
  const machine = machineSeconds()
  return () => {
    const wall = (performance.now() - wallMs) / 1000
    const { user, system } = process.cpuUsage(cpu)
    const used = (user + system) / 1e6
    return {
      wall,
      cpu: used,
      thread: mainThreadSeconds() - thread,
      foreign: Math.max(0, (machineSeconds() - machine - used) / wall),
    }
  }
}

/** Processor seconds of the main thread: the busiest one here. Elsewhere than on Linux those of the whole process. */
function mainThreadSeconds() {
  if (!linux) return process.cpuUsage().user / 1e6
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ', 1)[0]) / 1e9
}

/** Of all threads, since the process began. */
export function processSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function machineSeconds() {
  if (!linux) return 0
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].trim().split(/\s+/).map(Number)
  return [1, 2, 3, 6, 7, 8].reduce((sum, field) => sum + fields[field], 0) / 100
}

export function peakMemoryMb() {
  if (!linux) return Math.round(process.memoryUsage().rss / 1048576)
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024)
}

/** Memory of the process now, in MB: its own, and what it has mapped of files. Null where the system does not say it. */
function memoryMb() {
  const status = linux ? readFileSync('/proc/self/status', 'utf8') : ''
  const of = (name) => {
    const kilobytes = new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]
    return kilobytes === undefined ? null : Number(kilobytes) / 1024
  }
  return { anonymousMb: of('RssAnon'), mappedMb: of('RssFile') }
}

const MEMORY_EVERY_MS = 100

/** The most of each, looked at now and then until `end`. */
export function watchMemory() {
  const most = memoryMb()
  const look = () => {
    for (const [name, value] of Object.entries(memoryMb())) if (value > most[name]) most[name] = value
  }
  const timer = setInterval(look, MEMORY_EVERY_MS).unref()
  return {
    end() {
      clearInterval(timer)
      look()
      return most
    },
  }
}

export const median = (numbers) => [...numbers].sort((one, other) => one - other)[numbers.length >> 1]

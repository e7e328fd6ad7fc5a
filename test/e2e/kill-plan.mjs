/** What the kill test does, drawn from a seed alone: which jobs there are, and where each of their processes should die. Pure. */

/** The n-th job of a seed, as a chain job. */
export function chainJobOf(seed, number) {
  const random = seededRandom(seed * 100_003 + number)
  const rate = pick(random, [10_000, 30_000, 90_000, 250_000])
  return {
    random,
    settings: {
      seed: Math.floor(random() * 2 ** 31),
      sink: pick(random, ['file', 'ledger']),
      parallelism: pick(random, [2, 3, 4]),
      /** Each process then draws a parallelism of its own. */
      rescales: random() < 0.3,
      intervalMs: pick(random, [25, 50, 100]),
      retained: pick(random, [1, 2, 3]),
      /** State up to this size stands in the metadata; 0: every subtask writes files. */
      inlineBytes: pick(random, [0, 20_000]),
      rate,
      records: Math.round(rate * (0.1 + 0.3 * random())),
    },
  }
}

/** The n-th job of a seed, as one that follows files. */
export function followedJobOf(seed, number) {
  const random = seededRandom(seed * 100_003 + number)
  return {
    random,
    settings: {
      sinks: 3,
      parallelism: pick(random, [1, 2, 3, 4]),
      rescales: true,
      intervalMs: pick(random, [25, 50, 100]),
      retained: pick(random, [1, 2, 3]),
      inlineBytes: pick(random, [0, 20_000]),
      records: Math.round(2000 + 3000 * random()),
    },
    /** So many processes while the input comes, and so many that are killed while event time ends. */
    lives: 3 + Math.floor(random() * 9),
    livesAtEnd: Math.floor(random() * 3),
    /** Its input does not hang on how long its processes live. */
    feedRandom: seededRandom(seed * 100_003 + number + 50_001),
  }
}

/**
 * The n-th job with its state where `backend` says, and with so many retained checkpoints where the command says that. On
 * disk the cache holds next to nothing, so that rows go through the database, and most jobs write files however small. With `unaligned` barriers overtake, at once
 * or after some milliseconds, and a slow sink sees to it that there is something to overtake.
 */
export function placed({ settings, ...job }, number, { backend, unaligned = false, retained = settings.retained }) {
  const more = { retained, ...(unaligned ? overtaken(settings, number) : {}) }
  if (backend !== 'leveldb') return { ...job, settings: { ...settings, ...more } }
  const inlineBytes = number % 4 === 3 ? 20_000 : 0
  return {
    ...job,
    settings: { ...settings, ...more, inlineBytes, backend, cacheBytes: number % 3 === 0 ? 65_536 : 4096 },
  }
}

/** Copies of rules that are in flight stay with their subtasks: a job that has some keeps its parallelism. */
function overtaken({ rescales, sinks }, number) {
  return { alignedTimeoutMs: [0, 5, 0, 30][number % 4], rescales: rescales && sinks === undefined }
}

/** The parallelism of the next process. */
export function parallelismOf({ random, settings }) {
  return settings.rescales ? pick(random, [1, 2, 3, 4]) : settings.parallelism
}

/**
 * Where the next process should die; `life` counts the processes of the job. `killAt` is for MILLRACE_KILL_AT
 * (programs/trace.mjs). With `afterMs` the supervisor kills it, so long after the traced line `after`.
 */
export function planOf({ random, settings }, life) {
  const delay = (most) => (random() * most).toFixed(2)
  // In case the job gets that far.
  const atEnd = random() < 0.9 ? `,job.FINISHED:1:${random() < 0.3 ? 0 : delay(5)}` : ''
  const at = (point) => ({ killAt: point + atEnd })
  if (life === 0 && random() < 0.8)
    return random() < 0.3 ? at(`execute:1:${delay(60)}`) : at(`task.RUNNING:1:${delay(settings.intervalMs)}`)
  const draw = random()
  const nth = 1 + Math.floor(random() * 6)
  // Each sink says so for itself.
  const nthOfSinks = 1 + Math.floor(random() * 6 * (settings.sinks ?? 1))
  if (draw < 0.12) return at(`checkpoint.triggered:${nth}:${delay(6)}`)
  if (draw < 0.18) return at(`sink.prepared:${nthOfSinks}`)
  if (draw < 0.23) return at(`checkpoint.completed:${nth}:${delay(1)}`)
  if (draw < 0.32) return at(`commit.begun:${nthOfSinks}:${random() < 0.5 ? 0 : delay(2)}`)
  if (draw < 0.37) return at(`commit.ended:${nthOfSinks}`)
  if (draw < 0.4) return at(`execute:1:${delay(60)}`)
  if (draw < 0.44) return at(`task.INITIALIZING:${nth}:${random() < 0.5 ? 0 : delay(6)}`)
  return {
    killAt: atEnd.slice(1),
    after: random() < 0.3 ? 'execute' : 'task.RUNNING',
    afterMs: random() * (random() < 0.2 ? 1000 : 400),
    /** Stopped so long before it is killed: time passes for everybody else. */
    stopMs: random() < 0.1 ? random() * 200 : 0,
  }
}

/**
 * The same for a job that does not end by itself; or it is suspended, so many milliseconds after its tasks run.
 * `hadCheckpoint`: one of its processes has completed one.
 */
export function planOfFollowed(job, { life, hadCheckpoint }) {
  const { random } = job
  // It has to get somewhere.
  if (life > 0 && !hadCheckpoint) return { after: 'checkpoint.completed', afterMs: random() * 200 }
  if (life > 0 && random() < 0.15)
    return { suspendMs: random() * 300, killAt: random() < 0.6 ? `job.SUSPENDED:1:${(random() * 5).toFixed(2)}` : '' }
  // Far enough for the next process to find much that this one has done.
  const far = `checkpoint.completed:${2 + Math.floor(random() * 6)}:${(random() * job.settings.intervalMs).toFixed(2)}`
  const plan = life > 0 && random() < 0.4 ? { killAt: far, afterMs: 1500 } : planOf(job, life)
  // What it aims at may never come.
  return { after: 'task.RUNNING', afterMs: 800 + random() * 400, ...plan }
}

function pick(random, choices) {
  return choices[Math.floor(random() * choices.length)]
}

/** mulberry32. */
function seededRandom(start) {
  let state = start | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let hash = Math.imul(state ^ (state >>> 15), 1 | state)
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32
  }
}

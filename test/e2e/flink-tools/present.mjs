/** What is there of Flink's tools on this machine, and in words what is missing. Nothing is downloaded here that a first call does not download itself. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const OLDEST_JAVA = 17
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** `kit`: the folder with recordings and scripts. Each answer is undefined where it is there, else what is missing. */
export function whatIsMissing(kit) {
  const recordings = existsSync(join(kit, 'recordings', 'shape.mjs')) ? undefined : `${kit} (the recordings of Flink)`
  const java = javaVersion() >= OLDEST_JAVA ? undefined : `a JDK of at least ${OLDEST_JAVA}`
  const jars = isCached(kit) || hasMaven() ? undefined : "Maven, or Flink's jars in ~/.cache/flink-kit"
  const browser = chromium() === undefined ? 'a Chromium ($CHROMIUM)' : undefined
  return {
    shape: recordings,
    cli: recordings ?? java ?? jars,
    dashboard: recordings ?? browser ?? (hasMaven() ? undefined : 'Maven, or --dashboard DIR'),
  }
}

export function chromium() {
  return [process.env.CHROMIUM, ...BROWSERS].find((path) => path !== undefined && existsSync(path))
}

/** 0: none. */
function javaVersion() {
  const java = process.env.JAVA_HOME === undefined ? 'java' : join(process.env.JAVA_HOME, 'bin', 'java')
  const { stderr, error } = spawnSync(java, ['-version'], { encoding: 'utf8' })
  return error === undefined ? Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0) : 0
}

function hasMaven() {
  return spawnSync('mvn', ['-version'], { stdio: 'ignore' }).error === undefined
}

/** As cli/flink.sh looks for them. */
function isCached(kit) {
  const pom = join(kit, 'cli', 'pom.xml')
  if (!existsSync(pom)) return false
  const version =
    process.env.FLINK_VERSION ?? /<flink\.version>(.*)<\/flink\.version>/.exec(readFileSync(pom, 'utf8'))?.[1]
  const caches =
    process.env.FLINK_KIT_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'flink-kit')
  return existsSync(join(caches, `cli-${version}`, 'classpath'))
}

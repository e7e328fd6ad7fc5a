/**
 * The bank of the ledger example, an HTTP server: the transfers of each branch as server-sent events, and postings in two
 * steps. It hangs up now and then. It lives longer than the job here; a real one would keep on disk what is prepared.
 */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

const BRANCHES = ['north', 'south', 'west']
const ACCOUNTS = ['anna', 'ben', 'cleo', 'dina', 'emil', 'fara']

/** The n-th transfer of a branch, always the same. */
function transfer(branch, n) {
  const draw = (n * 7919 + BRANCHES.indexOf(branch) * 104_729) % 1_000_003
  const from = draw % ACCOUNTS.length
  const to = (from + 1 + (draw % (ACCOUNTS.length - 1))) % ACCOUNTS.length
  return { from: ACCOUNTS[from], to: ACCOUNTS[to], cents: 100 + (draw % 9_900) }
}

/** `url`, `audit()` and `close()`. Each branch has `perBranch` transfers; a connection is cut after `perConnection`. */
export async function openBank({ perBranch, perConnection, perSecond }) {
  const prepared = new Map()
  const committed = new Set()
  const book = []
  let hungUp = 0

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://bank')
    const [, , id] = pathname.split('/')
    if (pathname === '/branches') return void response.end(JSON.stringify(BRANCHES))
    if (pathname === '/transfers')
      return void feed(response, searchParams.get('branch'), Number(request.headers['last-event-id'] ?? 0))
    if (pathname === '/postings') {
      const id = randomUUID()
      prepared.set(id, JSON.parse(await textOf(request)))
      return void response.end(JSON.stringify({ id }))
    }
    if (!prepared.has(id)) return void response.writeHead(404).end()
    // A commit may come twice: the answer to the first one was lost, or the job went on from its checkpoint.
    if (!committed.has(id)) book.push(...prepared.get(id))
    committed.add(id)
    response.end()
  })

  function feed(response, branch, lastId) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    let n = lastId
    const timer = setInterval(() => {
      for (let left = perSecond / 50; left > 0 && n < perBranch; left--) {
        response.write(`id: ${++n}\ndata: ${JSON.stringify(transfer(branch, n))}\n\n`)
        if (n - lastId < perConnection || n === perBranch) continue
        hungUp++
        return response.end()
      }
      if (n === perBranch) response.end('event: end\n\n')
    }, 20)
    response.on('close', () => clearInterval(timer))
  }

  /** The accounts with what is booked, and everything that is wrong with it, in words. */
  function audit() {
    const wanted = new Map(ACCOUNTS.map((account) => [account, { balance: 0, postings: 0 }]))
    for (const branch of BRANCHES)
      for (let n = 1; n <= perBranch; n++) {
        const { from, to, cents } = transfer(branch, n)
        wanted.get(from).balance -= cents
        wanted.get(to).balance += cents
        for (const account of [from, to]) wanted.get(account).postings++
      }
    const accounts = []
    const wrong = []
    for (const account of ACCOUNTS) {
      const own = book.filter((posting) => posting.account === account).sort((a, b) => a.number - b.number)
      const balance = own.at(-1)?.balance ?? 0
      accounts.push({ account, postings: own.length, balance })
      if (own.some(({ number }, index) => number !== index + 1)) wrong.push(`${account}: lost or repeated postings`)
      if (own.length !== wanted.get(account).postings) wrong.push(`${account}: ${own.length} postings`)
      if (balance !== wanted.get(account).balance) wrong.push(`${account}: balance ${balance}`)
    }
    return { accounts, wrong, hungUp, transactions: committed.size, abandoned: prepared.size - committed.size }
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${server.address().port}`, audit, close }
}

async function textOf(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

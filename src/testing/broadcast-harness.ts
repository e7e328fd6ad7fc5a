/** Harnesses for functions with a broadcast input: BroadcastProcessFunction and KeyedBroadcastProcessFunction. */
import type { KeyOf } from '../api/key-of.ts'
import { broadcastProcessOperator } from '../operators/broadcast-process.ts'
import type { BroadcastDescriptor } from '../operators/broadcast-states.ts'
import type { BroadcastProcessFunction, KeyedBroadcastProcessFunction, RuntimeContext } from '../operators/functions.ts'
import { keyedBroadcastProcessOperator } from '../operators/keyed-broadcast-process.ts'
import { Harness, type HarnessOptions, type Opening, type OperatorSpec } from './harness.ts'
import type { BroadcastItem } from './verify-items.ts'
import { type Verification, type Verified, verifyFunction } from './verify-operator.ts'

/** What is run: the function, as a program gives it. */
export interface BroadcastFunction<A, B, R> {
  /** As given to `process` of the connected streams: called once for each subtask. */
  readonly create: (context: RuntimeContext) => BroadcastProcessFunction<A, B, R>
  /** As given to `broadcast`: the states that the function may use. */
  readonly descriptors: readonly BroadcastDescriptor[]
}

export interface BroadcastHarnessOptions<A, B, R> extends BroadcastFunction<A, B, R>, HarnessOptions {}

/** Runs a BroadcastProcessFunction. With several subtasks each gets a record in turn, and all get every broadcast record. */
export class BroadcastHarness<A, B, R = never> extends Harness<R> {
  /** Throws TEST_MISUSE where `open` of the function returns a promise: use the static `open`. */
  constructor(options: BroadcastHarnessOptions<A, B, R>, opening: Opening = 'at once') {
    super({ harness: 'BroadcastHarness', ...unkeyed(options), options }, opening)
  }

  /**
   * Runs the function in every way in which a job may run it, and rejects with VERIFICATION_FAILED where one of them comes
   * to another result: see `verifyOperator`.
   */
  static verify<A, B, R = never>(
    options: BroadcastFunction<A, B, R>,
    verification: Verification<BroadcastItem<NoInfer<A>, NoInfer<B>>>,
  ): Promise<Verified<R>> {
    return verifyFunction<R>({ ...verification, ...unkeyed(options), name: 'BroadcastHarness' })
  }

  /** Resolves when the functions are open. */
  static open<A, B, R = never>(options: BroadcastHarnessOptions<A, B, R>): Promise<BroadcastHarness<A, B, R>> {
    return new BroadcastHarness(options, 'awaited').untilOpen()
  }

  processElement(value: A, timestamp?: number): void {
    this.record(0, value, timestamp)
  }

  processBroadcastElement(value: B, timestamp?: number): void {
    this.record(1, value, timestamp)
  }

  /** Of the input that is not broadcast: the function's watermark is the lower of both. Throws TEST_MISUSE for one that goes back. */
  processWatermark(ms: number): void {
    this.watermark(0, ms)
  }

  processBroadcastWatermark(ms: number): void {
    this.watermark(1, ms)
  }

  /** The input has nothing to send for now, and does not hold the watermark; or it is active again. */
  processWatermarkStatus(idle: boolean): void {
    this.status(0, idle)
  }

  processBroadcastWatermarkStatus(idle: boolean): void {
    this.status(1, idle)
  }
}

/** What is run: the function, as a program gives it. */
export interface KeyedBroadcastFunction<A, B, K, R> {
  /** As given to `process` of the connected streams: called once for each subtask. */
  readonly create: (context: RuntimeContext) => KeyedBroadcastProcessFunction<K, A, B, R>
  /** As given to `keyBy`, of the keyed input. */
  readonly keyBy: (value: A) => K & KeyOf<K>
  /** As given to `broadcast`: the states that the function may use. */
  readonly descriptors: readonly BroadcastDescriptor[]
}

export interface KeyedBroadcastHarnessOptions<A, B, K, R> extends KeyedBroadcastFunction<A, B, K, R>, HarnessOptions {}

/** Runs a KeyedBroadcastProcessFunction. With several subtasks each key has its own, and all get every broadcast record. */
export class KeyedBroadcastHarness<A, B, K, R = never> extends Harness<R> {
  /** Throws TEST_MISUSE where `open` of the function returns a promise: use the static `open`. */
  constructor(options: KeyedBroadcastHarnessOptions<A, B, K, R>, opening: Opening = 'at once') {
    super({ harness: 'KeyedBroadcastHarness', ...keyed<A, B, K, R>(options), options }, opening)
  }

  /**
   * Runs the function in every way in which a job may run it, and rejects with VERIFICATION_FAILED where one of them comes
   * to another result: see `verifyOperator`.
   */
  static verify<A, B, K, R = never>(
    options: KeyedBroadcastFunction<A, B, K, R>,
    verification: Verification<BroadcastItem<NoInfer<A>, NoInfer<B>>>,
  ): Promise<Verified<R>> {
    return verifyFunction<R>({ ...verification, ...keyed<A, B, K, R>(options), name: 'KeyedBroadcastHarness' })
  }

  /** Resolves when the functions are open. */
  static open<A, B, K, R = never>(
    options: KeyedBroadcastHarnessOptions<A, B, K, R>,
  ): Promise<KeyedBroadcastHarness<A, B, K, R>> {
    return new KeyedBroadcastHarness(options, 'awaited').untilOpen()
  }

  processElement(value: A, timestamp?: number): void {
    this.record(0, value, timestamp)
  }

  processBroadcastElement(value: B, timestamp?: number): void {
    this.record(1, value, timestamp)
  }

  /** Of the input that is not broadcast: the function's watermark is the lower of both. Throws TEST_MISUSE for one that goes back. */
  processWatermark(ms: number): void {
    this.watermark(0, ms)
  }

  processBroadcastWatermark(ms: number): void {
    this.watermark(1, ms)
  }

  /** The input has nothing to send for now, and does not hold the watermark; or it is active again. */
  processWatermarkStatus(idle: boolean): void {
    this.status(0, idle)
  }

  processBroadcastWatermarkStatus(idle: boolean): void {
    this.status(1, idle)
  }
}

function unkeyed<A, B, R>({ create, descriptors }: BroadcastFunction<A, B, R>): OperatorSpec {
  const dealings = [{ type: 'inTurn' }, { type: 'toAll' }] as const
  return { operator: broadcastProcessOperator(create, descriptors), dealings }
}

interface KeyedFunction<A, B, K, R> {
  readonly create: (context: RuntimeContext) => KeyedBroadcastProcessFunction<K, A, B, R>
  readonly keyBy: (value: A) => K
  readonly descriptors: readonly BroadcastDescriptor[]
}

function keyed<A, B, K, R>({ create, keyBy, descriptors }: KeyedFunction<A, B, K, R>): OperatorSpec {
  const operator = keyedBroadcastProcessOperator(keyBy, create, descriptors)
  return { operator, dealings: [{ type: 'byKey', keySelector: keyBy }, { type: 'toAll' }] }
}

/** Harnesses for functions with two inputs: CoProcessFunction and KeyedCoProcessFunction. */
import type { KeyOf } from '../api/key-of.ts'
import { coProcessOperator } from '../operators/co-process.ts'
import type { CoProcessFunction, KeyedCoProcessFunction, RuntimeContext } from '../operators/functions.ts'
import { keyedCoProcessOperator } from '../operators/keyed-co-process.ts'
import { Harness, type HarnessOptions, type Opening, type OperatorSpec } from './harness.ts'
import type { TwoInputItem } from './verify-items.ts'
import { type Verification, type Verified, verifyFunction } from './verify-operator.ts'

/** What is run: the function, as a program gives it. */
export interface TwoInputFunction<A, B, R> {
  /** As given to `process` of connected streams: called once for each subtask. */
  readonly create: (context: RuntimeContext) => CoProcessFunction<A, B, R>
}

export interface TwoInputHarnessOptions<A, B, R> extends TwoInputFunction<A, B, R>, HarnessOptions {}

/** Runs a CoProcessFunction. With several subtasks each gets a record of each input in turn. */
export class TwoInputHarness<A, B, R = never> extends Harness<R> {
  /** Throws TEST_MISUSE where `open` of the function returns a promise: use the static `open`. */
  constructor(options: TwoInputHarnessOptions<A, B, R>, opening: Opening = 'at once') {
    super({ harness: 'TwoInputHarness', ...unkeyed(options), options }, opening)
  }

  /**
   * Runs the function in every way in which a job may run it, and rejects with VERIFICATION_FAILED where one of them comes
   * to another result: see `verifyOperator`.
   */
  static verify<A, B, R = never>(
    options: TwoInputFunction<A, B, R>,
    verification: Verification<TwoInputItem<NoInfer<A>, NoInfer<B>>>,
  ): Promise<Verified<R>> {
    return verifyFunction<R>({ ...verification, ...unkeyed(options), name: 'TwoInputHarness' })
  }

  /** Resolves when the functions are open. */
  static open<A, B, R = never>(options: TwoInputHarnessOptions<A, B, R>): Promise<TwoInputHarness<A, B, R>> {
    return new TwoInputHarness(options, 'awaited').untilOpen()
  }

  processElement1(value: A, timestamp?: number): void {
    this.record(0, value, timestamp)
  }

  processElement2(value: B, timestamp?: number): void {
    this.record(1, value, timestamp)
  }

  /** Of the first input: the function's watermark is the lower of both. Throws TEST_MISUSE for one that goes back. */
  processWatermark1(ms: number): void {
    this.watermark(0, ms)
  }

  processWatermark2(ms: number): void {
    this.watermark(1, ms)
  }

  /** The first input has nothing to send for now, and does not hold the watermark; or it is active again. */
  processWatermarkStatus1(idle: boolean): void {
    this.status(0, idle)
  }

  processWatermarkStatus2(idle: boolean): void {
    this.status(1, idle)
  }
}

/** What is run: the function, as a program gives it. */
export interface KeyedTwoInputFunction<A, B, K, R> {
  /** As given to `process` of connected keyed streams: called once for each subtask. */
  readonly create: (context: RuntimeContext) => KeyedCoProcessFunction<K, A, B, R>
  /** As given to `keyBy`, of the first input. */
  readonly keyBy1: (value: A) => K & KeyOf<K>
  readonly keyBy2: (value: B) => K & KeyOf<K>
}

export interface KeyedTwoInputHarnessOptions<A, B, K, R> extends KeyedTwoInputFunction<A, B, K, R>, HarnessOptions {}

/** Runs a KeyedCoProcessFunction. With several subtasks each key goes to the one that has its key group. */
export class KeyedTwoInputHarness<A, B, K, R = never> extends Harness<R> {
  /** Throws TEST_MISUSE where `open` of the function returns a promise: use the static `open`. */
  constructor(options: KeyedTwoInputHarnessOptions<A, B, K, R>, opening: Opening = 'at once') {
    super({ harness: 'KeyedTwoInputHarness', ...keyed<A, B, K, R>(options), options }, opening)
  }

  /**
   * Runs the function in every way in which a job may run it, and rejects with VERIFICATION_FAILED where one of them comes
   * to another result: see `verifyOperator`.
   */
  static verify<A, B, K, R = never>(
    options: KeyedTwoInputFunction<A, B, K, R>,
    verification: Verification<TwoInputItem<NoInfer<A>, NoInfer<B>>>,
  ): Promise<Verified<R>> {
    return verifyFunction<R>({ ...verification, ...keyed<A, B, K, R>(options), name: 'KeyedTwoInputHarness' })
  }

  /** Resolves when the functions are open. */
  static open<A, B, K, R = never>(
    options: KeyedTwoInputHarnessOptions<A, B, K, R>,
  ): Promise<KeyedTwoInputHarness<A, B, K, R>> {
    return new KeyedTwoInputHarness(options, 'awaited').untilOpen()
  }

  processElement1(value: A, timestamp?: number): void {
    this.record(0, value, timestamp)
  }

  processElement2(value: B, timestamp?: number): void {
    this.record(1, value, timestamp)
  }

  /** Of the first input: the function's watermark is the lower of both. Throws TEST_MISUSE for one that goes back. */
  processWatermark1(ms: number): void {
    this.watermark(0, ms)
  }

  processWatermark2(ms: number): void {
    this.watermark(1, ms)
  }

  /** The first input has nothing to send for now, and does not hold the watermark; or it is active again. */
  processWatermarkStatus1(idle: boolean): void {
    this.status(0, idle)
  }

  processWatermarkStatus2(idle: boolean): void {
    this.status(1, idle)
  }
}

function unkeyed<A, B, R>({ create }: TwoInputFunction<A, B, R>): OperatorSpec {
  return { operator: coProcessOperator(create), dealings: [{ type: 'inTurn' }, { type: 'inTurn' }] }
}

interface KeyedFunction<A, B, K, R> {
  readonly create: (context: RuntimeContext) => KeyedCoProcessFunction<K, A, B, R>
  readonly keyBy1: (value: A) => K
  readonly keyBy2: (value: B) => K
}

function keyed<A, B, K, R>({ create, keyBy1, keyBy2 }: KeyedFunction<A, B, K, R>): OperatorSpec {
  return {
    operator: keyedCoProcessOperator(keyBy1, keyBy2, create),
    dealings: [
      { type: 'byKey', keySelector: keyBy1 },
      { type: 'byKey', keySelector: keyBy2 },
    ],
  }
}

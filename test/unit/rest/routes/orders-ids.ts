/** Ids of the orders job and its vertices, as they were recorded. */
export const JOB = '8630b4c59d415aff5932a1f43c12163c'
export const SOURCE = 'bc4197a480c92c793190a9f8c0afc54c'
export const TOTALS = '8eeed16b661251f13cfc6a3c5e75c420'
export const OUT = '4d648856f35492026b8f75b0a6ec795e'

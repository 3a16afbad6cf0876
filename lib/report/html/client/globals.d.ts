/** The standalone build of the chart library, which stands in the page before our code. */
declare const LightweightCharts: typeof import('lightweight-charts')

// Coupon is an example of an extension of MiniFleet: coupons of mini programs, kept by the platform, with a list, a form,
// filters, REST, a stock that many may draw on at once, and a job that ends what has expired.
package main

import "minifleet/plugins/sdk"

func main() { sdk.Serve(New()) }

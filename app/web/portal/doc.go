// Package portal is what ordinary users see: login and registration, the landing page of an authorisation, 我的小程序,
// and the frame around plugins' pages. It decides no permission of its own and talks to no WeChat; it asks the rooms.
// app/web serves its Handler for every address that is nothing else.
package portal

package admin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// holes is what stock GoAdmin on GoFrame leaves open, what its traps could become, and what an attacker tries on any
// platform: each with the tests that try it. First those that were reproduced on stock GoAdmin, in which the test shows
// the hole before it shows it closed. "TestTheGuardHolds/…" tries every route of the running platform.
var holes = []struct {
	hole  string
	tests []string // room and test
}{
	// Reproduced on stock GoAdmin.
	{"SQL through __sort_type, blind, by any member", []string{"admin TestSortDirectionCannotCarrySQL", "app/command TestTheGuardHolds/no parameter carries SQL or a script"}},
	{"SQL through the name of a parameter, ..._goadmin_join_...", []string{"admin TestParameterNamesCannotCarrySQL", "app/command TestTheGuardHolds/no parameter carries SQL or a script"}},
	{"another table by ?__prefix=manager", []string{"admin TestPrefixParameterCannotSwitchTables"}},
	{"another page by X-Url-Path", []string{"admin TestAddressHeadersCannotSwitchPages", "app/web TestHeadersThatRedirectRoutersAreStripped", "app/command TestTheGuardHolds/another site's page makes no browser act"}},
	{"session fixation", []string{"admin TestSessionIDOfTheBrowserIsNeverAdopted", "app/account TestALoginAlwaysGetsANewToken", "app/web/portal TestTheOldSessionEndsAtALogin", "app/web/portal TestCookiesAreOutOfReachOfScriptsOfOtherSitesAndOfPlainHTTP"}},
	{"no CSRF check on delete, ajax and update", []string{"admin TestUnsafeRequestsNeedOurOwnOrigin", "app/web TestUnsafeRequestsFromElsewhereAreRefused", "app/web TestOtherSitesCannotSetUpOrSwitchThePerson", "app/command TestTheGuardHolds/another site's page makes no browser act"}},
	{"/install/database/check for anybody, and all else that GoAdmin routes", []string{"admin TestInstallerAndLoginOfGoAdminAreNotRouted", "admin TestNothingOfStockGoAdminIsServed"}},
	{"stored scripts in cells", []string{"admin TestStoredScriptStaysTextInCells", "admin TestCellsShowValuesByTheirType", "app/command TestTheGuardHolds/stored scripts stay text on every page"}},
	{"open redirect and javascript: in the login's ref", []string{"app/web/portal TestReturnAddressStaysOnThisSite", "admin TestOnlyPathsOfThisSiteAreFollowed", "app/command TestTheGuardHolds/no address leads to another site"}},
	{"plain passwords in the operation log", []string{"app/command TestTheGuardHolds/no password lies in the database", "app/trail TestDiffShowsWhatChangedAndNoSecret", "app/web TestTheLogHoldsNoTicketTokenOrPassword"}},
	{"inline update of columns that are not editable; mass assignment", []string{"admin TestColumnsThatAreNotEditableCannotBeUpdatedInline", "admin TestFormSavesOnlyDeclaredFieldsOfTheVersionItWasOpenedOn", "app/plugin TestNoUpdateMovesARowToAnotherSpace", "app/command TestTheGuardHolds/no call takes a field it does not name"}},
	{"uploads keep the client's extension", []string{"app/account TestOnlyWholePicturesAndQuietPDFsAreKept", "app/transfer TestFilesThatAreNoCSVAreRefusedWithAReason", "app/command TestTheGuardHolds/uploads are what they are"}},
	{"cookies without HttpOnly, Secure, SameSite", []string{"app/web/portal TestCookiesAreOutOfReachOfScriptsOfOtherSitesAndOfPlainHTTP", "admin TestTheBackOfficeSetsNoCookie"}},
	{"no lock-out, no captcha", []string{"app/account TestFailuresAskForACaptchaThenMakeTheLoginWaitLongerEachTime", "app/account TestGuessesSentAtTheSameTimeAreCountedBeforeTheyAreMade", "app/account TestAnOfficeBehindOneAddressIsNeverLockedOut", "app/account TestACaptchaIsGoodForOneAnswerOnly"}},
	{"CSRF tokens kept for ever, one row per form view", []string{"admin TestPagesWriteNothingAfterTheFirst"}},

	// What the traps of GoAdmin could become.
	{"seeded accounts with known passwords", []string{"admin TestShadowUserHasNoPasswordAndOnePermission", "app/command TestAnEmptyInstallationIsSetUpOverHTTP"}},
	{"GoAdmin's session used without ours", []string{"app/command TestTheGuardHolds/GoAdmin's own session opens nothing", "admin TestSessionsThatRanOutAreDropped"}},
	{"info.Where guards the list only: edit and detail read by primary key", []string{"admin TestTablesOfOtherSpacesDoNotExist", "app/plugin TestRowsOfOthersAreInvisibleAndUnwritable", "app/command TestNoSpaceReachesAnothers"}},
	{"a failing source shows an empty table or a stack", []string{"admin TestFailingPluginIsAMessageAndNotAnEmptyList", "app/web TestAPanicBecomesAChineseErrorWithTheRequestID"}},
	{"SetSelected writes one member's filter into another's page", []string{"admin TestOnesFilterIsNotChosenInAnothersList"}},
	{"FormField.Value is typed as HTML", []string{"admin/theme TestFormEscapesWhatWasTypedOnceAndNamesWhatIsWrong", "admin TestRefusedFormKeepsInputAndNamesTheField"}},
	{"jQuery and inline scripts pasted into components; assets of other sites", []string{"admin/theme TestComponentsBringNeitherScriptNorStyle", "admin TestNoPageAsksAnotherSite", "admin TestEveryAnswerCarriesTheSecurityHeaders"}},
	{"403 is sent as 200", []string{"admin TestWhoSeesWhichPage", "admin TestMembersWithoutPermissionAreToldSo"}},
	{"paths that a later hand reads differently; files beside the assets", []string{"admin TestStrangePathsAreRefusedBeforeTheRouter", "resource TestHandlerRefuses", "app/command TestTheGuardHolds/no path leaves its folder or goes around the guard"}},

	// What an attacker tries on any platform.
	{"rows, exports, downloads and sessions of others", []string{"app/command TestNoSpaceReachesAnothers", "app/transfer TestOnlyWhoAskedMayHaveTheFileAndOnlyWhileTheyMayReadTheList", "app/transfer TestARightThatIsTakenAwayEndsARunningExport", "app/web TestAFileIsAskedForMadeAndDownloadedByItsOwnerOnly"}},
	{"a member beyond their role or their mini programs", []string{"app/command TestTheGuardHolds/a member sees the mini programs of their limit", "app/command TestTheGuardHolds/a member acts on the mini programs of their limit", "app/plugin TestALimitedMemberReadsAndWritesTheirMiniProgramsOnly", "app/account TestNobodyGivesOrTakesMoreThanTheyHold", "app/account TestALimitedMemberGivesNoMoreThanTheirOwnMiniPrograms", "app/account TestAChangedRoleHoldsAtTheNextRequestAndARemovedMemberFallsBack"}},
	{"an API token beyond its scopes", []string{"app/command TestTheGuardHolds/an API token reaches what its scopes say", "app/web TestATokenStaysWithinItsScopesAndNeverTouchesTheAccount", "app/web TestATokenIsNoCookie", "app/account TestATokenDiesWithExpiryRevocationAndMembership"}},
	{"invitations used by others, twice, too late", []string{"app/account TestAnInvitationIsForOnePersonOnceAndEnds", "app/account TestOfManyAcceptsAtOnceOneJoins"}},
	{"codes for reset and login guessed, used twice, sent without end", []string{"app/account TestACodeEndsAfterItsUseItsTimeAndItsTries", "app/account TestCodesGuessedAtTheSameTimeShareFiveTries", "app/account TestCodesAreSentSeldom", "app/account TestNobodyLearnsWhoHasAnAccount"}},
	{"second factor replayed, guessed, gone around", []string{"app/account TestACodeOfThePhoneWorksOnceAndOneStepAround", "app/account TestOneCodeSentManyTimesAtOnceOpensOneSession", "app/account TestGuessingTheSecondFactorIsSlowHoweverOftenOneBegins", "app/account TestAResetDoesNotGetAroundTheSecondFactor", "admin TestAnOperatorWithoutTheSecondFactorThatIsAskedForReachesNothing"}},
	{"sessions that outlive a password", []string{"app/account TestChangingThePasswordEndsTheOthersAndRenewsThisSession", "app/account TestAResetEndsEverySessionOpensTheLockAndTellsTheOwner", "app/account TestDangerousActsAskForThePasswordAgain"}},
	{"webhooks into this house: names that resolve inwards, redirects, ports", []string{"app/notice TestNoWebhookReachesThisHouseFromWithin", "app/notice TestARedirectIsNotFollowed"}},
	{"headers and recipients smuggled into a mail", []string{"app/notice TestAMailCannotBringHeadersOrRecipientsOfItsOwn"}},
	{"formulas in exported files, headers in their names", []string{"app/transfer TestNoTextBecomesAFormula", "app/transfer TestAFileNameTellsWhatIsInItAndSurvivesTheHeader"}},
	{"calls without end, addresses that are made up", []string{"app/web TestTooManyRESTCallsAreToldToWait", "app/web TestThePersonsAddressIsBelievedFromOurProxiesOnly", "admin TestTooLongBodiesAreRefused"}},
	{"figures of the house for anybody", []string{"app/web TestMetricsAreForThisMachineOrForTheToken"}},
}

// Each test that the table names is there, so that a reader may trust it and nobody drops one unseen.
func TestEveryHoleHasItsExploit(t *testing.T) {
	known := map[string]map[string]bool{}
	for _, h := range holes {
		if len(h.tests) == 0 {
			t.Errorf("%s: no test", h.hole)
		}
		for _, named := range h.tests {
			room, name, _ := strings.Cut(named, " ")
			if known[room] == nil {
				known[room] = testsOf(t, room)
			}
			if !known[room][name] {
				t.Errorf("%s: %s has no %s", h.hole, room, name)
			}
		}
	}
}

// testsOf reads the names of a room's tests, and of the parts of a test that are given as plain text: Test/part.
func testsOf(t *testing.T, room string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(room), "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", room, len(files), err)
	}
	out := map[string]bool{}
	for _, path := range files {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			out[f.Name.Name] = true
			ast.Inspect(f, func(n ast.Node) bool {
				if part := partOf(n); part != "" {
					out[f.Name.Name+"/"+part] = true
				}
				return true
			})
		}
	}
	return out
}

// partOf is the name in t.Run("name", …), "" for everything else.
func partOf(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 2 {
		return ""
	}
	if s, ok := call.Fun.(*ast.SelectorExpr); !ok || s.Sel.Name != "Run" {
		return ""
	}
	if name, ok := call.Args[0].(*ast.BasicLit); ok && name.Kind == token.STRING {
		return strings.Trim(name.Value, "\"`")
	}
	return ""
}
